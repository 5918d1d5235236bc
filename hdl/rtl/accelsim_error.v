// Error unit (Eqs. 4 and 5), in two passes as the schedule has them.
//
// temporal = 1, at steps before t_k, with gamma' of step t+1:
//   delta = sat(rne(spatial - theta gamma'))       (Eq. 4)
//   gamma = sat(rne(tau gamma'))                   (Eq. 5, second term)
// temporal = 0, with gamma from the first pass, or 0 at t_k:
//   delta = sat(rne(spatial))
//   gamma = sat(rne(close delta / a + gamma))     (Eq. 5)
//
// spatial is the exact sum of gamma w with EF + WF fraction bits; a delta that
// was rounded before comes in the same format. close belongs to the same
// element and arrives two clocks after it: it is what accelsim_surrogate gives
// when it is fed at the same time.
//
// A rigid pipeline of 4 clocks.
`default_nettype none
module accelsim_error #(
    parameter UW = 16,
    parameter UF = 12,
    parameter EW = 16,
    parameter WF = 12,
    parameter BW = 40
) (
    input  wire                 clock,
    input  wire                 reset,
    input  wire signed [UW-1:0] tau,
    input  wire signed [UW-1:0] theta,
    input  wire signed [UW-1:0] inverse_width,
    input  wire                 in_valid,
    output wire                 in_ready,
    input  wire                 temporal,
    input  wire signed [BW-1:0] spatial,
    input  wire signed [EW-1:0] gamma_before,
    input  wire                 close,
    output reg                  out_valid,
    input  wire                 out_ready,
    output reg signed  [EW-1:0] delta,
    output reg signed  [EW-1:0] gamma
);
  // Fraction bits beyond EF of what is rounded to delta.
  localparam MORE = WF > UF ? WF : UF;
  localparam PW = EW + UW;
  localparam DIFF = (BW > PW ? BW : PW) + MORE + 1;

  assign in_ready = out_ready;

  reg signed [PW-1:0] reset_term, decayed, scaled;
  reg signed [BW-1:0] spatial1;
  reg signed [EW-1:0] gamma1, gamma2, gamma3, delta2, delta3;
  reg temporal1, temporal2, close3;
  reg valid1, valid2, valid3;

  wire [DIFF-1:0] spatial_wide = {{(DIFF - BW) {spatial1[BW-1]}}, spatial1} << (MORE - WF);
  wire [DIFF-1:0] reset_wide = {{(DIFF - PW) {reset_term[PW-1]}}, reset_term} << (MORE - UF);
  wire signed [DIFF-1:0] difference = spatial_wide - (temporal1 ? reset_wide : {DIFF{1'b0}});
  wire signed [EW-1:0] delta_rounded, decayed_rounded, gamma_rounded;
  accelsim_round #(.IN(DIFF), .SHIFT(MORE), .OUT(EW)) round_delta (.x(difference), .y(delta_rounded));
  accelsim_round #(.IN(PW), .SHIFT(UF), .OUT(EW)) round_decayed (.x(decayed), .y(decayed_rounded));

  wire [PW:0] gamma_wide = {{(PW + 1 - EW) {gamma3[EW-1]}}, gamma3} << UF;
  wire signed [PW:0] total = gamma_wide + (close3 ? {scaled[PW-1], scaled} : {(PW + 1) {1'b0}});
  accelsim_round #(.IN(PW + 1), .SHIFT(UF), .OUT(EW)) round_gamma (.x(total), .y(gamma_rounded));

  always @(posedge clock) begin
    if (out_ready) begin
      reset_term <= theta * gamma_before;
      decayed    <= tau * gamma_before;
      spatial1   <= spatial;
      gamma1     <= gamma_before;
      temporal1  <= temporal;

      delta2     <= delta_rounded;
      gamma2     <= temporal1 ? decayed_rounded : gamma1;
      temporal2  <= temporal1;

      scaled     <= delta2 * inverse_width;
      delta3     <= delta2;
      gamma3     <= gamma2;
      close3    <= close & ~temporal2;

      delta      <= delta3;
      gamma      <= gamma_rounded;
    end
    if (reset) {out_valid, valid3, valid2, valid1} <= 4'b0;
    else if (out_ready) {out_valid, valid3, valid2, valid1} <= {valid3, valid2, valid1, in_valid};
  end
endmodule
`default_nettype wire
