// Processing element: a cell of the array (accelsim_cell: synaptic sum, spatial
// error, gradient) and a vector lane (accelsim_lane: LIF neuron, surrogate window,
// error unit, loss, optimizer). Together they execute every equation of a local
// block's training. Cell and lane are fed on their own; both stand still while
// out_ready is low.
`default_nettype none
module accelsim_pe #(
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
    parameter RW = 24,
    parameter NW = 8,
    parameter K = 4,
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
    input  wire                 out_ready,
    output wire                 in_ready,
    input  wire                 cell_in_valid,
    input  wire        [1:0]    cell_op,
    input  wire                 cell_first,
    input  wire                 cell_last,
    input  wire                 cell_drain,
    input  wire                 cell_load,
    input  wire                 cell_row_spike,
    input  wire                 cell_column_spike,
    input  wire signed [EW-1:0] cell_gamma,
    input  wire signed [WW-1:0] cell_weight,
    input  wire signed [GW-1:0] cell_dw_before,
    output wire                 cell_sum_valid,
    output wire                 cell_spatial_valid,
    output wire                 cell_dw_valid,
    output wire signed [SW-1:0] cell_sum,
    output wire signed [BW-1:0] cell_spatial,
    output wire signed [GW-1:0] cell_dw,
    input  wire                 lane_in_valid,
    input  wire                 lane_temporal,
    input  wire signed [UW-1:0] lane_u_before,
    input  wire signed [SW-1:0] lane_sum,
    input  wire                 lane_spike_in,
    input  wire        [NW-1:0] lane_count,
    input  wire                 lane_label,
    input  wire signed [BW-1:0] lane_spatial,
    input  wire signed [EW-1:0] lane_gamma_before,
    input  wire signed [WW-1:0] lane_w_before,
    input  wire signed [GW-1:0] lane_v_before,
    input  wire signed [GW-1:0] lane_dw,
    output wire                 lane_out_valid,
    output wire signed [UW-1:0] lane_u,
    output wire                 lane_spike,
    output wire        [NW-1:0] lane_counted,
    output wire signed [EW-1:0] lane_delta_c,
    output wire signed [EW-1:0] lane_delta,
    output wire signed [EW-1:0] lane_gamma,
    output wire signed [WW-1:0] lane_w,
    output wire signed [GW-1:0] lane_v
);
  wire cell_ready, lane_ready;
  assign in_ready = cell_ready & lane_ready;

  accelsim_cell #(.WW(WW), .EW(EW), .EF(EF), .GW(GW), .GF(GF), .SW(SW), .BW(BW), .RW(RW)) element (
      .clock(clock), .reset(reset), .in_valid(cell_in_valid), .in_ready(cell_ready), .op(cell_op),
      .first(cell_first), .last(cell_last), .drain(cell_drain), .load(cell_load), .row_spike(cell_row_spike),
      .column_spike(cell_column_spike), .gamma(cell_gamma), .weight(cell_weight), .dw_before(cell_dw_before),
      .sum_valid(cell_sum_valid), .spatial_valid(cell_spatial_valid), .dw_valid(cell_dw_valid),
      .out_ready(out_ready), .sum(cell_sum), .spatial(cell_spatial), .dw(cell_dw)
  );
  accelsim_lane #(
      .WW(WW), .WF(WF), .UW(UW), .UF(UF), .EW(EW), .EF(EF), .GW(GW), .GF(GF),
      .SW(SW), .BW(BW), .NW(NW), .K(K), .CW(CW), .LOSS_CF(LOSS_CF), .RATE_CF(RATE_CF)
  ) lane (
      .clock(clock), .reset(reset), .tau(tau), .theta(theta), .u_th(u_th), .half_width(half_width),
      .inverse_width(inverse_width), .momentum(momentum), .rate(rate), .loss_scale(loss_scale),
      .in_valid(lane_in_valid), .in_ready(lane_ready), .temporal(lane_temporal), .u_before(lane_u_before),
      .sum(lane_sum), .spike_in(lane_spike_in), .count(lane_count), .label(lane_label), .spatial(lane_spatial),
      .gamma_before(lane_gamma_before), .w_before(lane_w_before), .v_before(lane_v_before), .dw(lane_dw),
      .out_valid(lane_out_valid), .out_ready(out_ready), .u(lane_u), .spike(lane_spike),
      .counted(lane_counted), .delta_c(lane_delta_c), .delta(lane_delta), .gamma(lane_gamma), .w(lane_w),
      .v(lane_v)
  );
endmodule
`default_nettype wire
