package elementary

import "math"

// The rational functions of AS 241: near the middle, beyond it and far out,
// each with the coefficients above and below the line, from the constant up.
var (
	centreAbove = [8]float64{
		3.3871328727963666080, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125,
		45921.953931549871457, 67265.770927008700853, 33430.575583588128105, 2509.0809287301226727,
	}
	centreBelow = [8]float64{
		1, 42.313330701600911252, 687.18700749205790830, 5394.1960214247511077,
		21213.794301586595867, 39307.895800092710610, 28729.085735721942674, 5226.4952788528545610,
	}
	middleAbove = [8]float64{
		1.42343711074968357734, 4.63033784615654529590, 5.76949722146069140550, 3.64784832476320460504,
		1.27045825245236838258, 0.241780725177450611770, 0.0227238449892691845833, 7.74545014278341407640e-4,
	}
	middleBelow = [8]float64{
		1, 2.05319162663775882187, 1.67638483018380384940, 0.689767334985100004550,
		0.148103976427480074590, 0.0151986665636164571966, 5.47593808499534494600e-4, 1.05075007164441684324e-9,
	}
	tailAbove = [8]float64{
		6.65790464350110377720, 5.46378491116411436990, 1.78482653991729133580, 0.296560571828504891230,
		0.0265321895265761230930, 0.00124266094738807843860, 2.71155556874348757815e-5, 2.01033439929228813265e-7,
	}
	tailBelow = [8]float64{
		1, 0.599832206555887937690, 0.136929880922735805310, 0.0148753612908506148525,
		7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15,
	}
)

// NormalQuantile returns the value that a standard normal variable stays below
// with probability p: Wichura's AS 241, PPND16 (Applied Statistics 37, 1988),
// whose relative error is about 1e-16.
func NormalQuantile(p float64) float64 {
	if math.IsNaN(p) || p < 0 || p > 1 {
		return math.NaN()
	}
	q := p - 0.5
	if math.Abs(q) <= 0.425 {
		r := 0.180625 - float64(q*q)
		return q * polynomial(r, centreAbove) / polynomial(r, centreBelow)
	}
	tail := min(p, 1-p)
	if tail == 0 {
		return math.Copysign(math.Inf(1), q)
	}
	r := math.Sqrt(-Log(tail))
	z := 0.0
	if r <= 5 {
		z = polynomial(r-1.6, middleAbove) / polynomial(r-1.6, middleBelow)
	} else {
		z = polynomial(r-5, tailAbove) / polynomial(r-5, tailBelow)
	}
	return math.Copysign(z, q)
}

// polynomial evaluates one at x, from the constant up.
func polynomial(x float64, coefficients [8]float64) float64 {
	sum := 0.0
	for i := len(coefficients) - 1; i >= 0; i-- {
		sum = float64(sum*x) + coefficients[i]
	}
	return sum
}
