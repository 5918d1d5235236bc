package pe

// Op is a kind of arithmetic operation, as energy tables know it.
type Op uint8

// The operations on values of the datapath's [Precision].
const (
	Add Op = iota // subtraction too
	Multiply
	MAC
	Compare
	numOps
)

// NumOps is the number of kinds of operation.
const NumOps = int(numOps)

// String returns the operation's name in energy tables and reports.
func (o Op) String() string { return [...]string{"add", "multiply", "mac", "compare"}[o] }

// Recipe is the operations that one element takes in a vector lane.
type Recipe [NumOps]int64

// The recipes, each with the equation it executes; covered additions of Eq. 16
// are not among them.
var (
	// FireRecipe: tau u, + I, - theta s, u >= u_th (Eqs. 1 and 2).
	FireRecipe = Recipe{Add: 2, Multiply: 1, Compare: 1}
	// SurrogateRecipe: |u - u_th| < a/2, times 1/a (Eqs. 5 and 6).
	SurrogateRecipe = Recipe{Add: 1, Compare: 1, Multiply: 1}
	// TemporalRecipe: theta gamma and tau gamma (Eqs. 4 and 5); their two
	// additions are Eq. 16's.
	TemporalRecipe = Recipe{Multiply: 2}
	// TemporalAdditions is Eq. 16's 2|U|.
	TemporalAdditions int64 = 2
	// JoinRecipe: one spike-element-wise addition.
	JoinRecipe = Recipe{Add: 1}
	// NormRecipe: sums for mean and variance, normalisation, gain and bias.
	NormRecipe = Recipe{Add: 3, Multiply: 2, MAC: 1}
	// NormMeanRecipe, NormVarianceRecipe and NormalizeRecipe are its passes where a
	// batch is cut: + I; - mean, square; times 1/std, gain, bias.
	NormMeanRecipe     = Recipe{Add: 1}
	NormVarianceRecipe = Recipe{Add: 1, MAC: 1}
	NormalizeRecipe    = Recipe{Add: 1, Multiply: 2}
	// NormBackwardRecipe: sums for gain and bias, and the error of Eq. 1's sum.
	NormBackwardRecipe = Recipe{Add: 3, Multiply: 2, MAC: 1}
	// NormGradientsRecipe and NormErrorsRecipe are its passes.
	NormGradientsRecipe = Recipe{Add: 1, MAC: 1}
	NormErrorsRecipe    = Recipe{Add: 2, Multiply: 2}
	// CountRecipe: one more spike.
	CountRecipe = Recipe{Add: 1}
	// LossRecipe: rate, difference, square, scaled error (Eq. 3).
	LossRecipe = Recipe{Add: 1, Multiply: 2, MAC: 1}
	// SoftmaxRecipe: maximum, exponential (a quadratic table), sum, division, error.
	SoftmaxRecipe = Recipe{Add: 3, Multiply: 3, MAC: 2, Compare: 1}
	// MomentumRecipe: v = m v + dw, w = w - lr v.
	MomentumRecipe = Recipe{MAC: 2}
	// PlainRecipe: w = w - lr dw.
	PlainRecipe = Recipe{MAC: 1}
	// AdamRecipe: two moments, their corrections, root and division (by
	// Newton's method, two steps each), and the step.
	AdamRecipe = Recipe{Add: 1, Multiply: 7, MAC: 7}
	// RegenerateRecipe: three shifts and exclusive ors of a Marsaglia (2003)
	// xorshift generator, as three additions.
	RegenerateRecipe = Recipe{Add: 3}
)
