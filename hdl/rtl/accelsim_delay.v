// Holds values back for STAGES clocks; stops with enable.
`default_nettype none
module accelsim_delay #(
    parameter WIDTH  = 1,
    parameter STAGES = 1
) (
    input  wire             clock,
    input  wire             enable,
    input  wire [WIDTH-1:0] d,
    output wire [WIDTH-1:0] q
);
  generate
    if (STAGES == 0) begin : none
      wire unused = &{1'b0, clock, enable};
      assign q = d;
    end else begin : line
      reg [STAGES*WIDTH-1:0] held;
      always @(posedge clock) if (enable) held <= (held << WIDTH) | {{(STAGES * WIDTH - WIDTH) {1'b0}}, d};
      assign q = held[STAGES*WIDTH-1-:WIDTH];
    end
  endgenerate
endmodule
`default_nettype wire
