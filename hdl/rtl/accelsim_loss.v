// Output error of a classifier neuron (derivative of Eq. 3): count is its spikes
// in the interval of K steps, label tells whether it is the sample's class:
//
//   delta_c = sat(rne((count - K label) c)),  c = 2 scale / (classes K^2 batch)
//
// c is a mantissa of CW bits with CF fraction bits.
//
// A rigid pipeline of 4 clocks, as long as the other units of a lane.
`default_nettype none
module accelsim_loss #(
    parameter NW = 8,  // bits of a count
    parameter K  = 4,
    parameter CW = 16,
    parameter CF = 20,
    parameter EW = 16,
    parameter EF = 12
) (
    input  wire                 clock,
    input  wire                 reset,
    input  wire signed [CW-1:0] c,
    input  wire                 in_valid,
    output wire                 in_ready,
    input  wire        [NW-1:0] count,
    input  wire                 label,
    output reg                  out_valid,
    input  wire                 out_ready,
    output reg signed  [EW-1:0] delta
);
  localparam [NW-1:0] STEPS = K;

  assign in_ready = out_ready;

  reg signed [NW:0] difference;
  reg signed [NW+CW:0] product;
  reg signed [EW-1:0] delta3;
  reg valid1, valid2, valid3;
  wire signed [EW-1:0] rounded;
  accelsim_round #(.IN(NW + 1 + CW), .SHIFT(CF - EF), .OUT(EW)) round (.x(product), .y(rounded));

  always @(posedge clock) begin
    if (out_ready) begin
      difference <= {1'b0, count} - (label ? {1'b0, STEPS} : {(NW + 1) {1'b0}});
      product    <= difference * c;
      delta3     <= rounded;
      delta      <= delta3;
    end
    if (reset) {out_valid, valid3, valid2, valid1} <= 4'b0;
    else if (out_ready) {out_valid, valid3, valid2, valid1} <= {valid3, valid2, valid1, in_valid};
  end
endmodule
`default_nettype wire
