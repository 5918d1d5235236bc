// Gradient accumulator (Eq. 7): one weight's register sums gamma over the output
// positions whose input spiked; then, in a clock of its own,
//
//   dW = sat(rne(dW + register))
//
// drain = 0: a term; first starts the register. drain = 1: the addition to dW;
// load takes dW from dw_before, last hands it over. Errors have EF fraction
// bits, gradients GF; RW bits hold the register exactly.
//
// A rigid pipeline of 2 clocks.
`default_nettype none
module accelsim_gradient #(
    parameter EW = 16,
    parameter EF = 12,
    parameter GW = 16,
    parameter GF = 12,
    parameter RW = 24
) (
    input  wire                 clock,
    input  wire                 reset,
    input  wire                 in_valid,
    output wire                 in_ready,
    input  wire                 drain,
    input  wire                 first,
    input  wire                 load,
    input  wire                 last,
    input  wire                 spike,
    input  wire signed [EW-1:0] gamma,
    input  wire signed [GW-1:0] dw_before,
    output reg                  out_valid,
    input  wire                 out_ready,
    output reg signed  [GW-1:0] dw
);
  localparam DOWN = EF > GF ? EF - GF : 0;  // fraction bits that a register has more than dW
  localparam UP = GF > EF ? GF - EF : 0;  // .. less
  localparam ACC = (RW + UP > GW + DOWN ? RW + UP : GW + DOWN) + 1;

  assign in_ready = out_ready;

  reg signed [EW-1:0] term;
  reg signed [RW-1:0] register;
  reg signed [GW-1:0] before1;
  reg valid1, drain1, first1, load1, last1;

  wire [RW-1:0] term_wide = {{(RW - EW) {term[EW-1]}}, term};
  wire [GW-1:0] old = load1 ? before1 : dw;
  wire [ACC-1:0] old_wide = {{(ACC - GW) {old[GW-1]}}, old} << DOWN;
  wire [ACC-1:0] register_wide = {{(ACC - RW) {register[RW-1]}}, register} << UP;
  wire signed [ACC-1:0] total = old_wide + register_wide;
  wire signed [GW-1:0] rounded;
  accelsim_round #(.IN(ACC), .SHIFT(DOWN), .OUT(GW)) round (.x(total), .y(rounded));

  always @(posedge clock) begin
    if (out_ready) begin
      term    <= spike ? gamma : {EW{1'b0}};
      before1 <= dw_before;
      drain1  <= drain;
      first1  <= first;
      load1   <= load;
      last1   <= last;
      if (valid1 && !drain1) register <= (first1 ? {RW{1'b0}} : register) + term_wide;
      if (valid1 && drain1) dw <= rounded;
    end
    if (reset) {out_valid, valid1} <= 2'b0;
    else if (out_ready) {out_valid, valid1} <= {valid1 & drain1 & last1, in_valid};
  end
endmodule
`default_nettype wire
