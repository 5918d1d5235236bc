// Brings a fixed-point number to another format: y = sat(rne(x / 2^SHIFT)).
//
// rne rounds to the nearest integer, ties to even; sat clips to OUT bits.
// A negative SHIFT multiplies. Combinational.
`default_nettype none
module accelsim_round #(
    parameter IN    = 32,
    parameter SHIFT = 12,
    parameter OUT   = 16
) (
    input  wire signed [ IN-1:0] x,
    output wire signed [OUT-1:0] y
);
  // Enough bits for the rounded value and for the comparison with OUT bits.
  localparam EXACT = (IN > SHIFT ? IN - SHIFT : 1) + 1;
  localparam MID = EXACT > OUT ? EXACT : OUT + 1;
  localparam WIDE = MID + (SHIFT > 0 ? SHIFT : 0);

  wire [WIDE-1:0] extended = {{(WIDE - IN) {x[IN-1]}}, x};
  wire [ MID-1:0] mid;

  generate
    if (SHIFT > 0) begin : right
      // The bits that go, and a zero so that there is always a bit below the half.
      wire [SHIFT:0] rest = {extended[SHIFT-1:0], 1'b0};
      wire up = rest[SHIFT] & (|rest[SHIFT-1:0] | extended[SHIFT]);
      assign mid = extended[WIDE-1:SHIFT] + {{(MID - 1) {1'b0}}, up};
    end else begin : left
      assign mid = extended << -SHIFT;
    end
  endgenerate

  wire sign = mid[MID-1];
  wire fits = &mid[MID-1:OUT-1] | ~|mid[MID-1:OUT-1];
  assign y = fits ? mid[OUT-1:0] : {sign, {(OUT - 1) {~sign}}};
endmodule
`default_nettype wire
