// One element of the array: it owns one output at a time and takes one term a
// clock. Three accumulators, of which the array's operation feeds one:
//
//   SUM   synaptic sum  I  = sum of w where s = 1     (Eq. 1)
//   MAC   spatial error    = sum of gamma w           (Eq. 4)
//   GRAD  gradient      dW = dW + sum of gamma s      (Eq. 7)
//
// A rigid pipeline of 2 clocks.
`default_nettype none
module accelsim_cell #(
    parameter WW = 16,
    parameter EW = 16,
    parameter EF = 12,
    parameter GW = 16,
    parameter GF = 12,
    parameter SW = 24,
    parameter BW = 40,
    parameter RW = 24
) (
    input  wire                 clock,
    input  wire                 reset,
    input  wire                 in_valid,
    output wire                 in_ready,
    input  wire        [   1:0] op,          // 0 SUM, 1 MAC, 2 GRAD
    input  wire                 first,
    input  wire                 last,
    input  wire                 drain,
    input  wire                 load,
    input  wire                 row_spike,   // of SUM
    input  wire                 column_spike, // of GRAD
    input  wire signed [EW-1:0] gamma,
    input  wire signed [WW-1:0] weight,
    input  wire signed [GW-1:0] dw_before,
    output wire                 sum_valid,
    output wire                 spatial_valid,
    output wire                 dw_valid,
    input  wire                 out_ready,
    output wire signed [SW-1:0] sum,
    output wire signed [BW-1:0] spatial,
    output wire signed [GW-1:0] dw
);
  wire sum_ready, mac_ready, gradient_ready;
  assign in_ready = sum_ready & mac_ready & gradient_ready;

  accelsim_accumulator #(.WW(WW), .SW(SW)) accumulator (
      .clock(clock), .reset(reset), .in_valid(in_valid && op == 2'd0), .in_ready(sum_ready),
      .first(first), .last(last), .spike(row_spike), .weight(weight),
      .out_valid(sum_valid), .out_ready(out_ready), .sum(sum)
  );
  accelsim_mac #(.EW(EW), .WW(WW), .BW(BW)) mac (
      .clock(clock), .reset(reset), .in_valid(in_valid && op == 2'd1), .in_ready(mac_ready),
      .first(first), .last(last), .gamma(gamma), .weight(weight),
      .out_valid(spatial_valid), .out_ready(out_ready), .sum(spatial)
  );
  accelsim_gradient #(.EW(EW), .EF(EF), .GW(GW), .GF(GF), .RW(RW)) gradient (
      .clock(clock), .reset(reset), .in_valid(in_valid && op == 2'd2), .in_ready(gradient_ready),
      .drain(drain), .first(first), .load(load), .last(last), .spike(column_spike), .gamma(gamma),
      .dw_before(dw_before), .out_valid(dw_valid), .out_ready(out_ready), .dw(dw)
  );
endmodule
`default_nettype wire
