// Spatial error (first term of Eq. 4): sum of gamma w over the neurons that an
// error comes from, exact in BW bits. first starts a sum, last ends it.
//
// A rigid pipeline of 2 clocks from the last term to the sum.
`default_nettype none
module accelsim_mac #(
    parameter EW = 16,
    parameter WW = 16,
    parameter BW = 40
) (
    input  wire                 clock,
    input  wire                 reset,
    input  wire                 in_valid,
    output wire                 in_ready,
    input  wire                 first,
    input  wire                 last,
    input  wire signed [EW-1:0] gamma,
    input  wire signed [WW-1:0] weight,
    output reg                  out_valid,
    input  wire                 out_ready,
    output reg signed  [BW-1:0] sum
);
  assign in_ready = out_ready;

  reg signed [EW+WW-1:0] product;
  reg valid1, first1, last1;
  wire [BW-1:0] product_wide = {{(BW - EW - WW) {product[EW+WW-1]}}, product};

  always @(posedge clock) begin
    if (out_ready) begin
      product <= gamma * weight;
      first1  <= first;
      last1   <= last;
      if (valid1) sum <= (first1 ? {BW{1'b0}} : sum) + product_wide;
    end
    if (reset) {out_valid, valid1} <= 2'b0;
    else if (out_ready) {out_valid, valid1} <= {valid1 & last1, in_valid};
  end
endmodule
`default_nettype wire
