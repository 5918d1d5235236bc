// A local block of fully connected layers and its classifier: the controller
// that takes the array through forward and backward of one truncation interval,
// and the block's buffers.
//
// It executes the kernels of the simulator's schedule in their order, each in
// the clocks that the simulator's array model books: a matrix product takes
// tiles x depth + PIPELINE, a vector operation ceil(elements / LANES) + PIPELINE.
//
//   t = 1..K:  SUM, FIRE of layers 1..LAYERS (the classifier is the last); COUNT
//   t = K:     LOSS; then, down to t = 1, from the classifier to layer 1:
//              BACK (not the classifier), TEMPORAL (not at t = K), SPATIAL, GRAD
//   at last:   UPDATE of the layers that learn
//
// The address of an element is issued, its operands are fetched PIPELINE - 2
// (matrix) or PIPELINE - 4 (vector) clocks later, its result is stored PIPELINE
// clocks after the issue.
//
// Buffers are register files with as many ports as the array asks for: a small
// block. Potentials and spikes have SLOTS step slots; step t of an interval is in
// slot (base + t) mod SLOTS, with base where the interval before ended.
//
// The host writes and reads buffers while the block is idle. Tables have one
// AW-bit field for each layer 0..2**LW-1.
`default_nettype none
module accelsim_block #(
    parameter ROWS = 2,
    parameter COLUMNS = 2,
    parameter LANES = 2,
    parameter PIPELINE = 4,  // at least 4
    parameter BATCH = 2,
    parameter STEPS = 4,  // K
    parameter SLOTS = 4,  // max(K, 2)
    parameter LAYERS = 2,  // with the classifier
    parameter TRAINED = 2,  // layers that learn: without a frozen classifier
    parameter AW = 10,  // address bits; above every extent and every sum of offset and tile
    parameter LW = 3,  // bits of a layer number; above LAYERS + 1
    parameter [(AW << LW)-1:0] SIZES = 0,  // neurons; layer 0 is the input
    parameter [(AW << LW)-1:0] NEURONS = 0,  // BATCH times neurons
    parameter [(AW << LW)-1:0] WEIGHTS = 0,  // weights of a layer
    parameter [(AW << LW)-1:0] NEURON_BASE = 0,  // first potential of a layer in a slot
    parameter [(AW << LW)-1:0] SPIKE_BASE = 0,  // first spike of a layer in a slot
    parameter [(AW << LW)-1:0] WEIGHT_BASE = 0,  // first weight of a layer
    parameter [AW-1:0] NEURON_SLOT = 0,  // potentials of a slot
    parameter [AW-1:0] SPIKE_SLOT = 0,  // spikes of a slot
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
    parameter CW = 16,
    parameter LOSS_CF = 20,
    parameter RATE_CF = 16,
    parameter HW = 24  // host data bits: above every word's
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
    // one interval
    input  wire                 start_valid,
    output wire                 start_ready,
    output wire                 done_valid,
    input  wire                 done_ready,
    output reg         [  31:0] cycles,       // clocks of the last interval
    output wire        [AW-1:0] final_slot,   // slot of its last step
    // buffers: 0 weights, 1 moments, 2 gradients, 3 potentials, 4 spikes, 5 labels
    input  wire                 host_valid,
    output wire                 host_ready,
    input  wire                 host_write,
    input  wire        [   2:0] host_buffer,
    input  wire        [AW-1:0] host_address,
    input  wire        [HW-1:0] host_data,
    output reg                  read_valid,
    input  wire                 read_ready,
    output reg         [HW-1:0] read_data
);
  localparam [3:0] SUM = 4'd0, FIRE = 4'd1, COUNT = 4'd2, LOSS = 4'd3, BACK = 4'd4, TEMPORAL = 4'd5,
      SPATIAL = 4'd6, GRAD = 4'd7, UPDATE = 4'd8, IDLE = 4'd9, DONE = 4'd10;
  localparam [AW-1:0] ROW_STEP = ROWS, COLUMN_STEP = COLUMNS, LANE_STEP = LANES;
  localparam [AW-1:0] BATCH_A = BATCH, STEPS_A = STEPS, LAST_SLOT = SLOTS - 1, LAST_WAIT = PIPELINE - 1;
  localparam [AW-1:0] ONE = 1, ZERO = 0;
  localparam [LW-1:0] TOP = LAYERS, TRAINED_L = TRAINED, FIRST = 1;
  localparam DEPTH = 1 << AW;

  // Tables.
  wire [AW-1:0] size_of[0:(1<<LW)-1];
  wire [AW-1:0] neurons_of[0:(1<<LW)-1];
  wire [AW-1:0] weights_of[0:(1<<LW)-1];
  wire [AW-1:0] neuron_base[0:(1<<LW)-1];
  wire [AW-1:0] spike_base[0:(1<<LW)-1];
  wire [AW-1:0] weight_base[0:(1<<LW)-1];
  genvar g, h;
  generate
    for (g = 0; g < (1 << LW); g = g + 1) begin : table_of
      assign size_of[g] = SIZES[g*AW+:AW];
      assign neurons_of[g] = NEURONS[g*AW+:AW];
      assign weights_of[g] = WEIGHTS[g*AW+:AW];
      assign neuron_base[g] = NEURON_BASE[g*AW+:AW];
      assign spike_base[g] = SPIKE_BASE[g*AW+:AW];
      assign weight_base[g] = WEIGHT_BASE[g*AW+:AW];
    end
  endgenerate

  // Buffers.
  reg signed [WW-1:0] weights[0:DEPTH-1];
  reg signed [GW-1:0] moments[0:DEPTH-1];
  reg signed [GW-1:0] gradients[0:DEPTH-1];
  reg signed [UW-1:0] potentials[0:DEPTH-1];
  reg spikes[0:DEPTH-1];
  reg labels[0:DEPTH-1];  // [sample][class], one-hot
  reg signed [EW-1:0] gammas[0:DEPTH-1];
  reg signed [EW-1:0] deltas[0:DEPTH-1];  // of the layer at hand
  reg signed [EW-1:0] output_errors[0:DEPTH-1];
  reg [NW-1:0] counts[0:DEPTH-1];
  reg signed [SW-1:0] sums[0:DEPTH-1];  // of the layer at hand
  reg signed [BW-1:0] spatials[0:DEPTH-1];

  // The kernel at hand.
  reg [3:0] kind;
  reg [LW-1:0] layer;
  reg [AW-1:0] t, slot, base;
  wire [LW-1:0] above = layer + FIRST, below = layer - FIRST;
  wire [AW-1:0] slot_before = slot == ZERO ? LAST_SLOT : slot - ONE;
  wire [AW-1:0] slot_after = slot == LAST_SLOT ? ZERO : slot + ONE;
  wire [AW-1:0] base_after = base == LAST_SLOT ? ZERO : base + ONE;
  wire at_end = t == STEPS_A;
  wire active = kind != IDLE && kind != DONE;
  wire matrix = kind == SUM || kind == BACK || kind == GRAD;
  wire [AW-1:0] here = size_of[layer], inputs = size_of[below], readers = size_of[above];

  // Extents of the kernel: tiles of rows x columns, slots of depth.
  wire [AW-1:0] rows = kind == GRAD ? here : matrix ? BATCH_A : ONE;
  wire [AW-1:0] columns = kind == GRAD ? inputs : matrix ? here : kind == UPDATE ? weights_of[layer] : neurons_of[layer];
  wire [AW-1:0] depth = kind == SUM ? inputs : kind == BACK ? readers : kind == GRAD ? BATCH_A << 1 : ONE;
  wire [AW-1:0] row_step = matrix ? ROW_STEP : ONE;
  wire [AW-1:0] column_step = matrix ? COLUMN_STEP : LANE_STEP;

  // Issue.
  reg [AW-1:0] row0, column0, d, waited;
  reg waiting;
  wire issuing = active && !waiting;
  wire last_d = d == depth - ONE;
  wire last_column = column0 + column_step >= columns;
  wire last_row = row0 + row_step >= rows;
  wire finished = waiting && waited == LAST_WAIT;

  reg [PIPELINE-1:0] valid_line;
  wire [PIPELINE:0] valid_tap = {valid_line, issuing};
  wire [3*AW-1:0] issued = {row0, column0, d};
  wire [3*AW-1:0] fetch_vector, fetch_matrix, storing;
  accelsim_delay #(.WIDTH(3 * AW), .STAGES(PIPELINE - 4)) to_lane (.clock(clock), .enable(1'b1), .d(issued), .q(fetch_vector));
  accelsim_delay #(.WIDTH(3 * AW), .STAGES(2)) to_cell (.clock(clock), .enable(1'b1), .d(fetch_vector), .q(fetch_matrix));
  accelsim_delay #(.WIDTH(3 * AW), .STAGES(2)) to_store (.clock(clock), .enable(1'b1), .d(fetch_matrix), .q(storing));

  // Operands of the cells.
  wire [AW-1:0] m_row, m_column, m_d;
  assign {m_row, m_column, m_d} = fetch_matrix;
  wire [AW-1:0] sample = m_d >> 1;  // of GRAD: a term and a drain for each
  wire is_grad = kind == GRAD;
  wire cell_valid = valid_tap[PIPELINE-2] && matrix;
  wire cell_drain = is_grad && m_d[0];
  wire cell_first = is_grad || m_d == ZERO;
  wire cell_last = m_d == depth - ONE;
  wire cell_load = sample == ZERO;
  wire [AW-1:0] spikes_in = slot * SPIKE_SLOT + spike_base[below];
  wire [AW-1:0] gammas_in = is_grad ? neuron_base[layer] + sample * here : neuron_base[above] + m_d;
  wire [AW-1:0] gamma_stride = is_grad ? ONE : readers;
  wire [AW-1:0] weights_in = kind == SUM ? weight_base[layer] + m_d * here : weight_base[above] + m_d;
  wire [AW-1:0] weight_stride = kind == SUM ? ONE : readers;

  wire [ROWS-1:0] row_spike;
  wire [COLUMNS-1:0] column_spike;
  wire [ROWS*EW-1:0] row_gamma;
  wire [COLUMNS*WW-1:0] column_weight;
  wire [ROWS*COLUMNS*GW-1:0] dw_before;
  wire [ROWS*COLUMNS*SW-1:0] cell_sum;
  wire [ROWS*COLUMNS*BW-1:0] cell_spatial;
  wire [ROWS*COLUMNS*GW-1:0] cell_dw;
  wire sum_valid, spatial_valid, dw_valid, lane_out_valid;
  generate
    for (g = 0; g < ROWS; g = g + 1) begin : row_operand
      wire [AW-1:0] at = m_row + g[AW-1:0];
      assign row_spike[g] = spikes[spikes_in+at*inputs+m_d];
      assign row_gamma[g*EW+:EW] = gammas[gammas_in+at*gamma_stride];
      for (h = 0; h < COLUMNS; h = h + 1) begin : gradient
        wire [AW-1:0] from = m_column + h[AW-1:0];
        assign dw_before[(g*COLUMNS+h)*GW+:GW] = at_end ? {GW{1'b0}} : gradients[weight_base[layer]+from*here+at];
      end
    end
    for (g = 0; g < COLUMNS; g = g + 1) begin : column_operand
      wire [AW-1:0] at = m_column + g[AW-1:0];
      assign column_spike[g] = spikes[spikes_in+sample*inputs+at];
      assign column_weight[g*WW+:WW] = weights[weights_in+at*weight_stride];
    end
  endgenerate

  // Operands of the lanes.
  wire [AW-1:0] v_row, v_column, v_d;
  assign {v_row, v_column, v_d} = fetch_vector;
  wire unused_fetch = &{1'b0, v_row, v_d, in_ready};
  wire in_ready;
  wire lane_valid = valid_tap[PIPELINE-4] && !matrix;
  wire of_classifier = layer == TOP;
  wire from_array = !of_classifier && (kind == TEMPORAL || at_end);
  wire from_output = of_classifier && (kind == TEMPORAL || at_end);
  wire [AW-1:0] u_in = (kind == FIRE ? slot_before : slot) * NEURON_SLOT + neuron_base[layer] + v_column;
  wire [LANES*UW-1:0] lane_u_before, lane_u;
  wire [LANES*SW-1:0] lane_sum;
  wire [LANES-1:0] lane_spike_in, lane_label, lane_spike;
  wire [LANES*NW-1:0] lane_count, lane_counted;
  wire [LANES*BW-1:0] lane_spatial;
  wire [LANES*EW-1:0] lane_gamma_before, lane_delta_c, lane_delta, lane_gamma;
  wire [LANES*WW-1:0] lane_w_before, lane_w;
  wire [LANES*GW-1:0] lane_v_before, lane_dw, lane_v;
  generate
    for (g = 0; g < LANES; g = g + 1) begin : lane_operand
      wire [AW-1:0] at = v_column + g[AW-1:0];
      wire [AW-1:0] parameter_at = weight_base[layer] + at;
      wire [EW-1:0] rounded = from_output ? output_errors[at] : deltas[at];
      assign lane_u_before[g*UW+:UW] = potentials[u_in+g[AW-1:0]];
      assign lane_sum[g*SW+:SW] = sums[at];
      assign lane_spike_in[g] = spikes[slot*SPIKE_SLOT+spike_base[layer]+at];
      assign lane_count[g*NW+:NW] = kind == COUNT && t == ONE ? {NW{1'b0}} : counts[at];
      assign lane_label[g] = labels[at];
      assign lane_spatial[g*BW+:BW] = from_array ? spatials[at] : {{(BW - EW) {rounded[EW-1]}}, rounded} << WF;
      assign lane_gamma_before[g*EW+:EW] = at_end ? {EW{1'b0}} : gammas[neuron_base[layer]+at];
      assign lane_w_before[g*WW+:WW] = weights[parameter_at];
      assign lane_v_before[g*GW+:GW] = moments[parameter_at];
      assign lane_dw[g*GW+:GW] = gradients[parameter_at];
    end
  endgenerate

  accelsim_array #(
      .ROWS(ROWS), .COLUMNS(COLUMNS), .LANES(LANES), .WW(WW), .WF(WF), .UW(UW), .UF(UF), .EW(EW), .EF(EF),
      .GW(GW), .GF(GF), .SW(SW), .BW(BW), .RW(RW), .NW(NW), .K(STEPS), .CW(CW), .LOSS_CF(LOSS_CF), .RATE_CF(RATE_CF)
  ) array (
      .clock(clock), .reset(reset), .tau(tau), .theta(theta), .u_th(u_th), .half_width(half_width),
      .inverse_width(inverse_width), .momentum(momentum), .rate(rate), .loss_scale(loss_scale),
      .out_ready(1'b1), .in_ready(in_ready),
      .cell_in_valid(cell_valid), .cell_op(kind == SUM ? 2'd0 : kind == BACK ? 2'd1 : 2'd2),
      .cell_first(cell_first), .cell_last(cell_last), .cell_drain(cell_drain), .cell_load(cell_load),
      .row_spike(row_spike), .column_spike(column_spike), .row_gamma(row_gamma), .column_weight(column_weight),
      .cell_dw_before(dw_before), .sum_valid(sum_valid), .spatial_valid(spatial_valid), .dw_valid(dw_valid),
      .cell_sum(cell_sum), .cell_spatial(cell_spatial), .cell_dw(cell_dw),
      .lane_in_valid(lane_valid), .lane_temporal(kind == TEMPORAL), .lane_u_before(lane_u_before), .lane_sum(lane_sum),
      .lane_spike_in(lane_spike_in), .lane_count(lane_count), .lane_label(lane_label), .lane_spatial(lane_spatial),
      .lane_gamma_before(lane_gamma_before), .lane_w_before(lane_w_before), .lane_v_before(lane_v_before), .lane_dw(lane_dw),
      .lane_out_valid(lane_out_valid), .lane_u(lane_u), .lane_spike(lane_spike), .lane_counted(lane_counted),
      .lane_delta_c(lane_delta_c), .lane_delta(lane_delta), .lane_gamma(lane_gamma), .lane_w(lane_w), .lane_v(lane_v)
  );

  // Results.
  wire [AW-1:0] s_row, s_column, s_d;
  assign {s_row, s_column, s_d} = storing;
  wire unused_store = &{1'b0, s_d};
  wire unused_host = &{1'b0, host_data};
  wire host_accepted = host_valid && host_ready && host_write;
  integer i, j;
  always @(posedge clock) begin
    for (i = 0; i < ROWS; i = i + 1)
      for (j = 0; j < COLUMNS; j = j + 1)
        if (s_row + i[AW-1:0] < rows && s_column + j[AW-1:0] < columns) begin
          if (sum_valid) sums[(s_row+i[AW-1:0])*here+s_column+j[AW-1:0]] <= cell_sum[(i*COLUMNS+j)*SW+:SW];
          if (spatial_valid) spatials[(s_row+i[AW-1:0])*here+s_column+j[AW-1:0]] <= cell_spatial[(i*COLUMNS+j)*BW+:BW];
          if (dw_valid)
            gradients[weight_base[layer]+(s_column+j[AW-1:0])*here+s_row+i[AW-1:0]] <= cell_dw[(i*COLUMNS+j)*GW+:GW];
        end
    for (i = 0; i < LANES; i = i + 1)
      if (lane_out_valid && s_column + i[AW-1:0] < columns)
        case (kind)
          FIRE: begin
            potentials[slot*NEURON_SLOT+neuron_base[layer]+s_column+i[AW-1:0]] <= lane_u[i*UW+:UW];
            spikes[slot*SPIKE_SLOT+spike_base[layer]+s_column+i[AW-1:0]] <= lane_spike[i];
          end
          COUNT: counts[s_column+i[AW-1:0]] <= lane_counted[i*NW+:NW];
          LOSS: output_errors[s_column+i[AW-1:0]] <= lane_delta_c[i*EW+:EW];
          TEMPORAL: begin
            deltas[s_column+i[AW-1:0]] <= lane_delta[i*EW+:EW];
            gammas[neuron_base[layer]+s_column+i[AW-1:0]] <= lane_gamma[i*EW+:EW];
          end
          SPATIAL: gammas[neuron_base[layer]+s_column+i[AW-1:0]] <= lane_gamma[i*EW+:EW];
          UPDATE: begin
            weights[weight_base[layer]+s_column+i[AW-1:0]] <= lane_w[i*WW+:WW];
            moments[weight_base[layer]+s_column+i[AW-1:0]] <= lane_v[i*GW+:GW];
          end
          default: ;
        endcase
    if (host_accepted)
      case (host_buffer)
        3'd0: weights[host_address] <= host_data[WW-1:0];
        3'd1: moments[host_address] <= host_data[GW-1:0];
        3'd2: gradients[host_address] <= host_data[GW-1:0];
        3'd3: potentials[host_address] <= host_data[UW-1:0];
        3'd4: spikes[host_address] <= host_data[0];
        default: labels[host_address] <= host_data[0];
      endcase
  end

  // The host's reads.
  wire [WW-1:0] weight_read = weights[host_address];
  wire [GW-1:0] moment_read = moments[host_address];
  wire [GW-1:0] gradient_read = gradients[host_address];
  wire [UW-1:0] potential_read = potentials[host_address];
  assign host_ready = kind == IDLE && (!read_valid || read_ready);
  always @(posedge clock) begin
    if (host_ready)
      case (host_buffer)
        3'd0: read_data <= {{(HW - WW) {weight_read[WW-1]}}, weight_read};
        3'd1: read_data <= {{(HW - GW) {moment_read[GW-1]}}, moment_read};
        3'd2: read_data <= {{(HW - GW) {gradient_read[GW-1]}}, gradient_read};
        3'd3: read_data <= {{(HW - UW) {potential_read[UW-1]}}, potential_read};
        3'd4: read_data <= {{(HW - 1) {1'b0}}, spikes[host_address]};
        default: read_data <= {{(HW - 1) {1'b0}}, labels[host_address]};
      endcase
    if (reset) read_valid <= 1'b0;
    else if (host_ready) read_valid <= host_valid && !host_write;
    else if (read_ready) read_valid <= 1'b0;
  end

  // The schedule.
  assign start_ready = kind == IDLE;
  assign done_valid = kind == DONE;
  assign final_slot = base;
  always @(posedge clock) begin
    valid_line <= valid_tap[PIPELINE-1:0];
    if (active) cycles <= cycles + 32'd1;
    if (issuing) begin
      if (!last_d) d <= d + ONE;
      else begin
        d <= ZERO;
        if (!last_column) column0 <= column0 + column_step;
        else begin
          column0 <= ZERO;
          if (!last_row) row0 <= row0 + row_step;
          else begin
            row0 <= ZERO;
            waiting <= 1'b1;
            waited <= ZERO;
          end
        end
      end
    end
    if (waiting) waited <= waited + ONE;
    if (finished) begin
      waiting <= 1'b0;
      case (kind)
        SUM: kind <= FIRE;
        FIRE: begin
          kind <= of_classifier ? COUNT : SUM;
          if (!of_classifier) layer <= above;
        end
        COUNT:
        if (at_end) kind <= LOSS;
        else begin
          kind  <= SUM;
          layer <= FIRST;
          t <= t + ONE;
          slot <= slot_after;
        end
        LOSS: begin
          kind <= SPATIAL;
          base <= slot;
        end
        BACK: kind <= at_end ? SPATIAL : TEMPORAL;
        TEMPORAL: kind <= SPATIAL;
        SPATIAL, GRAD:
        if (kind == SPATIAL && layer <= TRAINED_L) kind <= GRAD;
        else if (layer != FIRST) begin
          kind  <= BACK;
          layer <= below;
        end else if (t != ONE) begin
          kind <= TEMPORAL;
          layer <= TOP;
          t <= t - ONE;
          slot <= slot_before;
        end else kind <= UPDATE;
        default: begin  // UPDATE, of layer 1 first
          layer <= above;
          if (layer == TRAINED_L) kind <= DONE;
        end
      endcase
    end
    if (kind == IDLE && start_valid) begin
      kind <= SUM;
      layer <= FIRST;
      t <= ONE;
      slot <= base_after;
      cycles <= 32'd0;
    end
    if (kind == DONE && done_ready) kind <= IDLE;
    if (reset) begin
      kind <= IDLE;
      layer <= FIRST;
      t <= ONE;
      slot <= ZERO;
      base <= ZERO;
      {row0, column0, d, waited} <= {(4 * AW) {1'b0}};
      waiting <= 1'b0;
      valid_line <= {PIPELINE{1'b0}};
      cycles <= 32'd0;
    end
  end
endmodule
`default_nettype wire
