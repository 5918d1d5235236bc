package elementary

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// precision is that of the references: far more than a float64 has.
const precision = 200

// exact returns a reference number.
func exact(x float64) *big.Float { return new(big.Float).SetPrec(precision).SetFloat64(x) }

// exactExp sums e^x = (sum of (x/1024)^n / n!)^1024 in 200 bits.
func exactExp(x float64) *big.Float {
	r := new(big.Float).Quo(exact(x), exact(1024))
	sum, term := exact(1), exact(1)
	for n := 1; n < 60; n++ {
		term.Quo(term.Mul(term, r), exact(float64(n)))
		sum.Add(sum, term)
	}
	for range 10 {
		sum.Mul(sum, sum)
	}
	return sum
}

// exactLog solves e^y = x by Newton's method from a float64's logarithm.
func exactLog(x float64) *big.Float {
	y := math.Log(x)
	// ln x = y + (t - t^2/2 + t^3/3 - t^4/4), t = x e^-y - 1 being below 2^-40.
	t := new(big.Float).Mul(exact(x), exactExp(-y))
	t.Sub(t, exact(1))
	sum, power := exact(y), exact(1)
	for n := 1; n <= 4; n++ {
		power.Mul(power, t)
		term := new(big.Float).Quo(power, exact(float64(n)))
		if n%2 == 0 {
			term.Neg(term)
		}
		sum.Add(sum, term)
	}
	return sum
}

// offBy returns how many units in the last place of a float64 a result is off by.
func offBy(got float64, want *big.Float) float64 {
	nearest, _ := want.Float64()
	unit := math.Nextafter(math.Abs(nearest), math.Inf(1)) - math.Abs(nearest)
	d, _ := new(big.Float).Sub(exact(got), want).Float64()
	return math.Abs(d) / unit
}

func TestExpAndLogAreWithinOneUnitInTheLastPlace(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	worstExp, worstLog := 0.0, 0.0
	for i := range 4000 {
		x := (2*random.Float64() - 1) * []float64{1e-8, 0.5, 30, 700}[i%4]
		worstExp = max(worstExp, offBy(Exp(x), exactExp(x)))
		y := []float64{1 + x/2000, math.Exp(x)}[i/4%2]
		worstLog = max(worstLog, offBy(Log(y), exactLog(y)))
	}
	t.Logf("largest error: exp %.3f, log %.3f units in the last place", worstExp, worstLog)
	if worstExp >= 1 || worstLog >= 1 {
		t.Errorf("exp is off by %.3f units in the last place, log by %.3f", worstExp, worstLog)
	}
}

func TestEndsOfTheRange(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"e^0", Exp(0), 1},
		{"e^inf", Exp(inf), inf},
		{"e^-inf", Exp(-inf), 0},
		{"e^nan", Exp(nan), nan},
		{"e^711", Exp(711), inf},
		{"e^-747", Exp(-747), 0},
		{"e^709.78", Exp(709.78), 1.7928227943945155e308},
		{"e^-745.13", Exp(-745.13), math.SmallestNonzeroFloat64},
		{"ln 1", Log(1), 0},
		{"ln 0", Log(0), -inf},
		{"ln -1", Log(-1), nan},
		{"ln inf", Log(inf), inf},
		{"ln nan", Log(nan), nan},
		{"ln 2", Log(2), math.Ln2},
		{"ln of the smallest", Log(math.SmallestNonzeroFloat64), -744.4400719213812},
		{"0.9^0", Power(0.9, 0), 1},
		{"3^5", Power(3, 5), 243},
		{"2^-3", Power(2, -3), 0.125},
		{"quantile of 0", NormalQuantile(0), -inf},
		{"quantile of 1", NormalQuantile(1), inf},
		{"quantile of 1/2", NormalQuantile(0.5), 0},
		{"quantile of 2", NormalQuantile(2), nan},
	} {
		if c.got != c.want && !(math.IsNaN(c.got) && math.IsNaN(c.want)) {
			t.Errorf("%s is %v; want %v", c.name, c.got, c.want)
		}
	}
}

// TestPowerIsThatOfTheLibrary: where math.Pow only multiplies, as for Adam's
// betas, its bits are ours.
func TestPowerIsThatOfTheLibrary(t *testing.T) {
	for _, x := range []float64{0.9, 0.999, 0.5, 1.0001} {
		for n := range 3000 {
			if got, want := Power(x, n), math.Pow(x, float64(n)); got != want {
				t.Fatalf("%v^%d = %v; math.Pow has %v", x, n, got, want)
			}
		}
	}
}

func TestNormalQuantileInvertsTheNormalDistribution(t *testing.T) {
	for _, p := range []float64{1e-300, 1e-12, 0.001, 0.02, 0.075, 0.3, 0.5, 0.6, 0.925, 0.9999, 1 - 1e-12} {
		z := NormalQuantile(p)
		if back := math.Erfc(-z/math.Sqrt2) / 2; math.Abs(back-p) > 1e-13*max(p, 1e-3) && math.Abs(back/p-1) > 1e-12 {
			t.Errorf("%v is below its quantile %v with probability %v", p, z, back)
		}
		if want := math.Sqrt2 * math.Erfinv(2*p-1); p > 1e-6 && math.Abs(z-want) > 2e-15*max(1, math.Abs(z)) && p < 0.999 {
			t.Errorf("the quantile of %v is %v; from math.Erfinv %v", p, z, want)
		}
	}
}

func TestDecadeIsExactAtPowersOfTen(t *testing.T) {
	for e, power := range map[int]float64{-3: 1e-3, 0: 1, 3: 1e3, 15: 1e15, 29: 1e29, -308: 1e-308} {
		if got := Decade(power); got != e {
			t.Errorf("the decade of %g is %d", power, got)
		}
		if got := Decade(math.Nextafter(power, 0)); got != e-1 {
			t.Errorf("the decade below %g is %d", power, got)
		}
	}
}
