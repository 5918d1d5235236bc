// Spike-gated accumulator (the sum of Eq. 1): I = sum of w over inputs that
// spiked. first starts a sum, last ends it; an input without a spike spends its
// clock but no addition. SW bits hold the sum exactly.
//
// A rigid pipeline of 2 clocks from the last term to the sum.
`default_nettype none
module accelsim_accumulator #(
    parameter WW = 16,
    parameter SW = 24
) (
    input  wire                 clock,
    input  wire                 reset,
    input  wire                 in_valid,
    output wire                 in_ready,
    input  wire                 first,
    input  wire                 last,
    input  wire                 spike,
    input  wire signed [WW-1:0] weight,
    output reg                  out_valid,
    input  wire                 out_ready,
    output reg signed  [SW-1:0] sum
);
  assign in_ready = out_ready;

  reg signed [WW-1:0] term;
  reg valid1, first1, last1;
  wire [SW-1:0] term_wide = {{(SW - WW) {term[WW-1]}}, term};

  always @(posedge clock) begin
    if (out_ready) begin
      term   <= spike ? weight : {WW{1'b0}};
      first1 <= first;
      last1  <= last;
      if (valid1) sum <= (first1 ? {SW{1'b0}} : sum) + term_wide;
    end
    if (reset) {out_valid, valid1} <= 2'b0;
    else if (out_ready) {out_valid, valid1} <= {valid1 & last1, in_valid};
  end
endmodule
`default_nettype wire
