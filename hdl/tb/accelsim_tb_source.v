// Offers COUNT words of a file, in order; with GAPS it pauses now and then.
`default_nettype none
module accelsim_tb_source #(
    parameter WIDTH = 8,
    parameter COUNT = 1,
    parameter GAPS  = 0,
    parameter SEED  = 1,
    parameter FILE  = ""
) (
    input  wire             clock,
    input  wire             reset,
    output wire             valid,
    input  wire             ready,
    output wire [WIDTH-1:0] data
);
  reg [WIDTH-1:0] words[0:COUNT-1];
  reg [31:0] next, noise;
  initial $readmemh(FILE, words);
  assign data  = words[next];
  // An offer stands until it is taken.
  reg offered;
  assign valid = !reset && next < COUNT && (GAPS == 0 || offered || noise[5]);
  always @(posedge clock) begin
    noise <= {noise[30:0], noise[31] ^ noise[21] ^ noise[1] ^ noise[0]};
    offered <= valid && !ready;
    if (valid && ready) next <= next + 1;
    if (reset) begin
      next <= 0;
      offered <= 1'b0;
      noise <= SEED;
    end
  end
endmodule
`default_nettype wire
