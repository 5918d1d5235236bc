// Surrogate gradient window (Eq. 6): close = |u - u_th| < a/2.
//
// A rigid pipeline of 2 clocks.
`default_nettype none
module accelsim_surrogate #(
    parameter UW = 16
) (
    input  wire                 clock,
    input  wire                 reset,
    input  wire signed [UW-1:0] u_th,
    input  wire signed [UW-1:0] half_width,
    input  wire                 in_valid,
    output wire                 in_ready,
    input  wire signed [UW-1:0] u,
    output reg                  out_valid,
    input  wire                 out_ready,
    output reg                  close
);
  assign in_ready = out_ready;

  reg signed [UW:0] distance;
  reg               valid1;
  wire signed [UW:0] half = {half_width[UW-1], half_width};

  always @(posedge clock) begin
    if (out_ready) begin
      distance <= {u[UW-1], u} - {u_th[UW-1], u_th};
      close   <= distance < half && distance > -half;
    end
    if (reset) {out_valid, valid1} <= 2'b0;
    else if (out_ready) {out_valid, valid1} <= {valid1, in_valid};
  end
endmodule
`default_nettype wire
