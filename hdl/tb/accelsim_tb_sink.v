// Takes words and compares them with a file, bit for bit.
`default_nettype none
module accelsim_tb_sink #(
    parameter WIDTH = 8,
    parameter COUNT = 1,
    parameter FILE  = "",
    parameter NAME  = ""
) (
    input  wire             clock,
    input  wire             reset,
    input  wire             valid,
    input  wire             ready,
    input  wire [WIDTH-1:0] data,
    output wire             done,
    output reg  [     31:0] errors,
    output reg  [     31:0] last     // clock of the last word
);
  reg [WIDTH-1:0] words[0:COUNT-1];
  reg [31:0] next, now;
  initial $readmemh(FILE, words);
  assign done = next == COUNT;
  always @(posedge clock) begin
    now <= now + 1;
    if (valid && ready) begin
      if (done) begin
        errors <= errors + 1;
        $display("MISMATCH %0s: a word after the last, %h", NAME, data);
      end else begin
        if (data !== words[next]) begin
          errors <= errors + 1;
          if (errors < 4) $display("MISMATCH %0s: word %0d is %h, expected %h", NAME, next, data, words[next]);
        end
        next <= next + 1;
        last <= now;
      end
    end
    if (reset) begin
      next <= 0;
      now <= 0;
      errors <= 0;
      last <= 0;
    end
  end
endmodule
`default_nettype wire
