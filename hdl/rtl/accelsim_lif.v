// LIF neuron with soft reset (Eqs. 1 and 2):
//
//   s' = u' >= u_th
//   u  = sat(rne(tau u' + I - theta s'))
//   s  = u >= u_th
//
// u' is the potential of the step before, I the synaptic sum. Formats:
// potentials and tau, theta, u_th have UF fraction bits in UW, the sum has WF in
// SW and is exact. The sum of the three terms is exact too and rounded once.
//
// A rigid pipeline of 4 clocks: it stands still while out_ready is low.
`default_nettype none
module accelsim_lif #(
    parameter UW = 16,
    parameter UF = 12,
    parameter SW = 24,
    parameter WF = 12
) (
    input  wire                 clock,
    input  wire                 reset,
    input  wire signed [UW-1:0] tau,
    input  wire signed [UW-1:0] theta,
    input  wire signed [UW-1:0] u_th,
    input  wire                 in_valid,
    output wire                 in_ready,
    input  wire signed [UW-1:0] u_before,
    input  wire signed [SW-1:0] sum,
    output reg                  out_valid,
    input  wire                 out_ready,
    output reg signed  [UW-1:0] u,
    output reg                  spike
);
  // Products of potentials and constants have 2 UF fraction bits.
  localparam LIFT = 2 * UF - WF;
  localparam SUMW = SW + LIFT > 2 * UW ? SW + LIFT : 2 * UW;
  localparam ACC = SUMW + 2;

  assign in_ready = out_ready;

  reg signed [2*UW-1:0] leaked;
  reg signed [  SW-1:0] sum1;
  reg                   fired;
  reg signed [ ACC-1:0] exact;
  reg signed [  UW-1:0] u3;
  reg                   valid1, valid2, valid3;
  wire signed [UW-1:0]  rounded;

  wire [ACC-1:0] leaked_wide = {{(ACC - 2 * UW) {leaked[2*UW-1]}}, leaked};
  wire [ACC-1:0] sum_wide = {{(ACC - SW) {sum1[SW-1]}}, sum1} << LIFT;
  wire [ACC-1:0] theta_wide = {{(ACC - UW) {theta[UW-1]}}, theta} << UF;

  accelsim_round #(.IN(ACC), .SHIFT(UF), .OUT(UW)) round (.x(exact), .y(rounded));

  always @(posedge clock) begin
    if (out_ready) begin
      leaked <= tau * u_before;
      sum1   <= sum;
      fired  <= u_before >= u_th;
      exact  <= leaked_wide + sum_wide - (fired ? theta_wide : {ACC{1'b0}});
      u3     <= rounded;
      u      <= u3;
      spike  <= u3 >= u_th;
    end
    if (reset) {out_valid, valid3, valid2, valid1} <= 4'b0;
    else if (out_ready) {out_valid, valid3, valid2, valid1} <= {valid3, valid2, valid1, in_valid};
  end
endmodule
`default_nettype wire
