// The array: ROWS x COLUMNS output-stationary cells, LANES of which are whole
// processing elements with a vector lane (the first, row by row).
//
// Every clock a row's operand and a column's operand meet in each cell; cells
// outside a partial tile compute what nobody takes. Rows are samples and columns
// neurons for SUM and MAC; for GRAD rows are neurons and columns inputs, and a
// cell owns one weight. Results of all cells are valid at the same time.
//
// Rigid pipelines: 2 clocks through a cell, 4 through a lane.
`default_nettype none
module accelsim_array #(
    parameter ROWS = 2,
    parameter COLUMNS = 2,
    parameter LANES = 2,
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
    input  wire        [ROWS-1:0] row_spike,
    input  wire        [COLUMNS-1:0] column_spike,
    input  wire        [ROWS*EW-1:0] row_gamma,
    input  wire        [COLUMNS*WW-1:0] column_weight,
    input  wire        [ROWS*COLUMNS*GW-1:0] cell_dw_before,
    output wire                 sum_valid,
    output wire                 spatial_valid,
    output wire                 dw_valid,
    output wire        [ROWS*COLUMNS*SW-1:0] cell_sum,
    output wire        [ROWS*COLUMNS*BW-1:0] cell_spatial,
    output wire        [ROWS*COLUMNS*GW-1:0] cell_dw,
    input  wire                 lane_in_valid,
    input  wire                 lane_temporal,
    input  wire        [LANES*UW-1:0] lane_u_before,
    input  wire        [LANES*SW-1:0] lane_sum,
    input  wire        [LANES-1:0] lane_spike_in,
    input  wire        [LANES*NW-1:0] lane_count,
    input  wire        [LANES-1:0] lane_label,
    input  wire        [LANES*BW-1:0] lane_spatial,
    input  wire        [LANES*EW-1:0] lane_gamma_before,
    input  wire        [LANES*WW-1:0] lane_w_before,
    input  wire        [LANES*GW-1:0] lane_v_before,
    input  wire        [LANES*GW-1:0] lane_dw,
    output wire                 lane_out_valid,
    output wire        [LANES*UW-1:0] lane_u,
    output wire        [LANES-1:0] lane_spike,
    output wire        [LANES*NW-1:0] lane_counted,
    output wire        [LANES*EW-1:0] lane_delta_c,
    output wire        [LANES*EW-1:0] lane_delta,
    output wire        [LANES*EW-1:0] lane_gamma,
    output wire        [LANES*WW-1:0] lane_w,
    output wire        [LANES*GW-1:0] lane_v
);
  wire [ROWS*COLUMNS-1:0] ready_of, sum_valid_of, spatial_valid_of, dw_valid_of;
  wire [LANES-1:0] lane_valid_of;
  assign in_ready = &ready_of;
  assign sum_valid = &sum_valid_of;
  assign spatial_valid = &spatial_valid_of;
  assign dw_valid = &dw_valid_of;
  assign lane_out_valid = &lane_valid_of;

  genvar r, c;
  generate
    for (r = 0; r < ROWS; r = r + 1) begin : row
      for (c = 0; c < COLUMNS; c = c + 1) begin : column
        if (r * COLUMNS + c < LANES) begin : whole
          accelsim_pe #(
              .WW(WW), .WF(WF), .UW(UW), .UF(UF), .EW(EW), .EF(EF), .GW(GW), .GF(GF),
              .SW(SW), .BW(BW), .RW(RW), .NW(NW), .K(K), .CW(CW), .LOSS_CF(LOSS_CF), .RATE_CF(RATE_CF)
          ) pe (
            .clock(clock), .reset(reset), .tau(tau), .theta(theta), .u_th(u_th), .half_width(half_width),
            .inverse_width(inverse_width), .momentum(momentum), .rate(rate), .loss_scale(loss_scale),
            .out_ready(out_ready), .in_ready(ready_of[r*COLUMNS+c]), .cell_in_valid(cell_in_valid),
            .cell_op(cell_op), .cell_first(cell_first), .cell_last(cell_last), .cell_drain(cell_drain),
            .cell_load(cell_load), .cell_row_spike(row_spike[r]), .cell_column_spike(column_spike[c]),
            .cell_gamma(row_gamma[r*EW+:EW]), .cell_weight(column_weight[c*WW+:WW]),
            .cell_dw_before(cell_dw_before[(r*COLUMNS+c)*GW+:GW]), .cell_sum_valid(sum_valid_of[r*COLUMNS+c]),
            .cell_spatial_valid(spatial_valid_of[r*COLUMNS+c]), .cell_dw_valid(dw_valid_of[r*COLUMNS+c]),
            .cell_sum(cell_sum[(r*COLUMNS+c)*SW+:SW]), .cell_spatial(cell_spatial[(r*COLUMNS+c)*BW+:BW]),
            .cell_dw(cell_dw[(r*COLUMNS+c)*GW+:GW]), .lane_in_valid(lane_in_valid), .lane_temporal(lane_temporal),
            .lane_u_before(lane_u_before[(r*COLUMNS+c)*UW+:UW]), .lane_sum(lane_sum[(r*COLUMNS+c)*SW+:SW]),
            .lane_spike_in(lane_spike_in[r*COLUMNS+c]), .lane_count(lane_count[(r*COLUMNS+c)*NW+:NW]),
            .lane_label(lane_label[r*COLUMNS+c]), .lane_spatial(lane_spatial[(r*COLUMNS+c)*BW+:BW]),
            .lane_gamma_before(lane_gamma_before[(r*COLUMNS+c)*EW+:EW]),
            .lane_w_before(lane_w_before[(r*COLUMNS+c)*WW+:WW]), .lane_v_before(lane_v_before[(r*COLUMNS+c)*GW+:GW]),
            .lane_dw(lane_dw[(r*COLUMNS+c)*GW+:GW]), .lane_out_valid(lane_valid_of[r*COLUMNS+c]),
            .lane_u(lane_u[(r*COLUMNS+c)*UW+:UW]), .lane_spike(lane_spike[r*COLUMNS+c]),
            .lane_counted(lane_counted[(r*COLUMNS+c)*NW+:NW]), .lane_delta_c(lane_delta_c[(r*COLUMNS+c)*EW+:EW]),
            .lane_delta(lane_delta[(r*COLUMNS+c)*EW+:EW]), .lane_gamma(lane_gamma[(r*COLUMNS+c)*EW+:EW]),
            .lane_w(lane_w[(r*COLUMNS+c)*WW+:WW]), .lane_v(lane_v[(r*COLUMNS+c)*GW+:GW])
          );
        end else begin : plain
          accelsim_cell #(.WW(WW), .EW(EW), .EF(EF), .GW(GW), .GF(GF), .SW(SW), .BW(BW), .RW(RW)) element (
            .clock(clock), .reset(reset), .out_ready(out_ready), .in_ready(ready_of[r*COLUMNS+c]),
            .in_valid(cell_in_valid), .op(cell_op), .first(cell_first), .last(cell_last), .drain(cell_drain),
            .load(cell_load), .row_spike(row_spike[r]), .column_spike(column_spike[c]), .gamma(row_gamma[r*EW+:EW]),
            .weight(column_weight[c*WW+:WW]), .dw_before(cell_dw_before[(r*COLUMNS+c)*GW+:GW]),
            .sum_valid(sum_valid_of[r*COLUMNS+c]), .spatial_valid(spatial_valid_of[r*COLUMNS+c]),
            .dw_valid(dw_valid_of[r*COLUMNS+c]), .sum(cell_sum[(r*COLUMNS+c)*SW+:SW]),
            .spatial(cell_spatial[(r*COLUMNS+c)*BW+:BW]), .dw(cell_dw[(r*COLUMNS+c)*GW+:GW])
          );
        end
      end
    end
  endgenerate
endmodule
`default_nettype wire
