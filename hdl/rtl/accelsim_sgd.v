// Optimizer, SGD with momentum:
//
//   v = sat(rne(m v' + dW))
//   w = sat(w' - rne(r v))
//
// dW and v have GF fraction bits, weights WF, the momentum UF; the learning rate
// r is a mantissa of CW bits with CF fraction bits and takes the scale of the
// errors out again.
//
// A rigid pipeline of 4 clocks.
`default_nettype none
module accelsim_sgd #(
    parameter WW = 16,
    parameter WF = 12,
    parameter GW = 16,
    parameter GF = 12,
    parameter UW = 16,
    parameter UF = 12,
    parameter CW = 16,
    parameter CF = 16
) (
    input  wire                 clock,
    input  wire                 reset,
    input  wire signed [UW-1:0] momentum,
    input  wire signed [CW-1:0] rate,
    input  wire                 in_valid,
    output wire                 in_ready,
    input  wire signed [WW-1:0] w_before,
    input  wire signed [GW-1:0] v_before,
    input  wire signed [GW-1:0] dw,
    output reg                  out_valid,
    input  wire                 out_ready,
    output reg signed  [WW-1:0] w,
    output reg signed  [GW-1:0] v
);
  localparam PW = (GW + UW > GW + UF + 1 ? GW + UW : GW + UF + 1) + 1;
  localparam LIFT = GF + CF - WF;
  // More than any weight can move: a step that is clipped to it clips the weight.
  localparam SW = WW + 2;

  assign in_ready = out_ready;

  reg signed [GW+UW-1:0] kept;
  reg signed [GW+CW-1:0] step;
  reg signed [GW-1:0] dw1, v2, v3;
  reg signed [WW-1:0] w1, w2, w3;
  reg valid1, valid2, valid3;

  wire [PW-1:0] kept_wide = {{(PW - GW - UW) {kept[GW+UW-1]}}, kept};
  wire [PW-1:0] dw_wide = {{(PW - GW) {dw1[GW-1]}}, dw1} << UF;
  wire signed [PW-1:0] moved = kept_wide + dw_wide;
  wire signed [GW-1:0] v_rounded;
  accelsim_round #(.IN(PW), .SHIFT(UF), .OUT(GW)) round_v (.x(moved), .y(v_rounded));

  wire signed [SW-1:0] step_rounded;
  accelsim_round #(.IN(GW + CW), .SHIFT(LIFT), .OUT(SW)) round_step (.x(step), .y(step_rounded));
  wire signed [SW:0] updated = {{(SW + 1 - WW) {w3[WW-1]}}, w3} - {step_rounded[SW-1], step_rounded};
  wire signed [WW-1:0] w_rounded;
  accelsim_round #(.IN(SW + 1), .SHIFT(0), .OUT(WW)) clip_w (.x(updated), .y(w_rounded));

  always @(posedge clock) begin
    if (out_ready) begin
      kept <= momentum * v_before;
      dw1  <= dw;
      w1   <= w_before;

      v2   <= v_rounded;
      w2   <= w1;

      step <= rate * v2;
      v3   <= v2;
      w3   <= w2;

      v    <= v3;
      w    <= w_rounded;
    end
    if (reset) {out_valid, valid3, valid2, valid1} <= 4'b0;
    else if (out_ready) {out_valid, valid3, valid2, valid1} <= {valid3, valid2, valid1, in_valid};
  end
endmodule
`default_nettype wire
