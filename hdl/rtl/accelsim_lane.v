// One vector lane: the units that update a neuron, an output error or a weight,
// one element a clock. Which results mean something is for whoever fed it to
// know:
//
//   fire      u_before, sum               -> u, spike        (Eqs. 1 and 2)
//   count     count, spike_in             -> counted
//   loss      count, label                -> delta_c         (Eq. 3)
//   temporal  spatial, gamma_before       -> delta, gamma    (Eqs. 4 and 5)
//   spatial   spatial, gamma_before, u_before -> gamma       (Eqs. 5 and 6)
//   update    w_before, v_before, dw      -> w, v
//
// A rigid pipeline of 4 clocks.
`default_nettype none
module accelsim_lane #(
    parameter WW = 16,
    parameter WF = 12,
    parameter UW = 16,
    parameter UF = 12,
    parameter EW = 16,
    parameter EF = 12,
    parameter GW = 16,
    parameter GF = 12,
    parameter SW = 24,
    parameter BW = 40,
    parameter NW = 8,
    parameter K  = 4,
    parameter CW = 16,
    parameter LOSS_CF = 20,
    parameter RATE_CF = 16
) (
    input  wire                 clock,
    input  wire                 reset,
    input  wire signed [UW-1:0] tau,
    input  wire signed [UW-1:0] theta,
    input  wire signed [UW-1:0] u_th,
    input  wire signed [UW-1:0] half_width,
    input  wire signed [UW-1:0] inverse_width,
    input  wire signed [UW-1:0] momentum,
    input  wire signed [CW-1:0] rate,
    input  wire signed [CW-1:0] loss_scale,
    input  wire                 in_valid,
    output wire                 in_ready,
    input  wire                 temporal,
    input  wire signed [UW-1:0] u_before,
    input  wire signed [SW-1:0] sum,
    input  wire                 spike_in,
    input  wire        [NW-1:0] count,
    input  wire                 label,
    input  wire signed [BW-1:0] spatial,
    input  wire signed [EW-1:0] gamma_before,
    input  wire signed [WW-1:0] w_before,
    input  wire signed [GW-1:0] v_before,
    input  wire signed [GW-1:0] dw,
    output wire                 out_valid,
    input  wire                 out_ready,
    output wire signed [UW-1:0] u,
    output wire                 spike,
    output wire        [NW-1:0] counted,
    output wire signed [EW-1:0] delta_c,
    output wire signed [EW-1:0] delta,
    output wire signed [EW-1:0] gamma,
    output wire signed [WW-1:0] w,
    output wire signed [GW-1:0] v
);
  wire lif_ready, surrogate_ready, error_ready, loss_ready, sgd_ready;
  wire lif_valid, surrogate_valid, error_valid, loss_valid, sgd_valid;
  wire close;
  assign in_ready = lif_ready & surrogate_ready & error_ready & loss_ready & sgd_ready;
  assign out_valid = lif_valid & error_valid & loss_valid & sgd_valid;
  wire unused = &{1'b0, surrogate_valid};

  accelsim_lif #(.UW(UW), .UF(UF), .SW(SW), .WF(WF)) lif (
      .clock(clock), .reset(reset), .tau(tau), .theta(theta), .u_th(u_th),
      .in_valid(in_valid), .in_ready(lif_ready), .u_before(u_before), .sum(sum),
      .out_valid(lif_valid), .out_ready(out_ready), .u(u), .spike(spike)
  );
  accelsim_delay #(.WIDTH(NW), .STAGES(4)) counter (
      .clock(clock), .enable(out_ready), .d(count + {{(NW - 1) {1'b0}}, spike_in}), .q(counted)
  );
  accelsim_loss #(.NW(NW), .K(K), .CW(CW), .CF(LOSS_CF), .EW(EW), .EF(EF)) loss (
      .clock(clock), .reset(reset), .c(loss_scale),
      .in_valid(in_valid), .in_ready(loss_ready), .count(count), .label(label),
      .out_valid(loss_valid), .out_ready(out_ready), .delta(delta_c)
  );
  accelsim_surrogate #(.UW(UW)) surrogate (
      .clock(clock), .reset(reset), .u_th(u_th), .half_width(half_width),
      .in_valid(in_valid), .in_ready(surrogate_ready), .u(u_before),
      .out_valid(surrogate_valid), .out_ready(out_ready), .close(close)
  );
  accelsim_error #(.UW(UW), .UF(UF), .EW(EW), .WF(WF), .BW(BW)) error (
      .clock(clock), .reset(reset), .tau(tau), .theta(theta), .inverse_width(inverse_width),
      .in_valid(in_valid), .in_ready(error_ready), .temporal(temporal), .spatial(spatial),
      .gamma_before(gamma_before), .close(close),
      .out_valid(error_valid), .out_ready(out_ready), .delta(delta), .gamma(gamma)
  );
  accelsim_sgd #(.WW(WW), .WF(WF), .GW(GW), .GF(GF), .UW(UW), .UF(UF), .CW(CW), .CF(RATE_CF)) sgd (
      .clock(clock), .reset(reset), .momentum(momentum), .rate(rate),
      .in_valid(in_valid), .in_ready(sgd_ready), .w_before(w_before), .v_before(v_before), .dw(dw),
      .out_valid(sgd_valid), .out_ready(out_ready), .w(w), .v(v)
  );
endmodule
`default_nettype wire
