package fixed

import (
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/accelsim-dev/accelsim/network"
)

func TestFormats(t *testing.T) {
	f, err := ParseFormat("q4.12")
	if err != nil || f != (Format{4, 12}) || f.Width() != 16 || f.Max() != 32767 || f.Min() != -32768 {
		t.Errorf("%v %v", f, err)
	}
	for _, text := range []string{"", "4.12", "q4", "q0.16", "q4.30", "q1.1", "q-1.4", "q4.12 "} {
		if f, err := ParseFormat(text); err == nil {
			t.Errorf("%q was read as %v", text, f)
		}
	}
	all, err := ParseFormats("w=q2.14,u=q4.12,e=q3.13,g=q6.10")
	if err != nil || all.Weight != (Format{2, 14}) || all.Gradient != (Format{6, 10}) {
		t.Errorf("%v %v", all, err)
	}
	if again, err := ParseFormats(all.String()); err != nil || again != all {
		t.Errorf("%v is printed as %q and read as %v (%v)", all, all.String(), again, err)
	}
	for _, text := range []string{"w=q4.12", "w=q4.12,w=q4.12,e=q4.12,g=q4.12", "x=q4.12,u=q4.12,e=q4.12,g=q4.12", "w=4,u=q4.12,e=q4.12,g=q4.12"} {
		if f, err := ParseFormats(text); err == nil {
			t.Errorf("%q was read as %v", text, f)
		}
	}
}

// nearestEven rounds a rational number as the definition has it.
func nearestEven(r *big.Rat) int64 {
	floor := new(big.Int).Div(r.Num(), r.Denom()) // Euclidean: floor, as the denominator is positive
	rest := new(big.Rat).Sub(r, new(big.Rat).SetInt(floor))
	switch rest.Cmp(big.NewRat(1, 2)) {
	case 1:
		return floor.Int64() + 1
	case 0:
		return floor.Int64() + int64(floor.Bit(0))
	}
	return floor.Int64()
}

func TestRoundingIsToNearestEven(t *testing.T) {
	for x := int64(-64); x <= 64; x++ {
		for shift := range 6 {
			want := nearestEven(big.NewRat(x, 1<<shift))
			if got := roundShift(x, shift); got != want {
				t.Errorf("%d / 2^%d: %d, want %d", x, shift, got, want)
			}
		}
	}
}

func testWorkload(t *testing.T) *network.Workload {
	t.Helper()
	w, err := network.Read([]byte("{name: x, input: {channels: 4, height: 1, width: 1, encoding: event}, layers: 3FC-2FC, timesteps: 4, batch: 2}"), "x.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// Every unit is held to its equation in rational numbers, rounded once.
func TestUnitsAreTheirEquationsRoundedOnce(t *testing.T) {
	w := testWorkload(t)
	w.Training.Rule = network.Rule{Trace: network.FixedTrace, TraceDecay: 0.7}
	d, err := New(w, 4, Formats{Format{3, 13}, Format{4, 12}, Format{2, 14}, Format{6, 10}})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 1))
	any := func(f Format) int64 { return f.Min() + r.Int64N(f.Max()-f.Min()+1) }
	rat := func(x int64, fraction int) *big.Rat {
		return new(big.Rat).SetFrac(big.NewInt(x), new(big.Int).Lsh(big.NewInt(1), uint(fraction)))
	}
	in := func(f Format, v *big.Rat) int64 {
		scaled := new(big.Rat).Mul(v, rat(1<<f.Fraction, 0))
		return f.saturate(nearestEven(scaled))
	}
	mul := func(a, b *big.Rat) *big.Rat { return new(big.Rat).Mul(a, b) }
	wf, uf, ef, gf := d.Weight.Fraction, d.Potential.Fraction, d.Error.Fraction, d.Gradient.Fraction
	for range 20000 {
		before, sum := any(d.Potential), any(d.Weight)*(1+r.Int64N(4))
		u := mul(rat(d.Leak, uf), rat(before, uf))
		u.Add(u, rat(sum, wf))
		if before >= d.Threshold {
			u.Sub(u, rat(d.Reset, uf))
		}
		if got, _ := d.LIF(before, sum); got != in(d.Potential, u) {
			t.Fatalf("LIF(%d, %d) is %d, want %d", before, sum, got, in(d.Potential, u))
		}
		trace := mul(rat(d.TraceDecay, uf), rat(before, uf))
		if x := any(d.Potential); d.Trace(before, x) != in(d.Potential, trace.Add(trace, rat(x, uf))) {
			t.Fatalf("Trace(%d, %d) is %d", before, x, d.Trace(before, x))
		}
		spatial, gamma := any(d.Error)<<wf+any(d.Weight), any(d.Error)
		delta, decayed := d.Temporal(spatial, gamma)
		want := new(big.Rat).Sub(rat(spatial, ef+wf), mul(rat(d.Reset, uf), rat(gamma, ef)))
		if delta != in(d.Error, want) || decayed != in(d.Error, mul(rat(d.Leak, uf), rat(gamma, ef))) {
			t.Fatalf("Temporal(%d, %d)", spatial, gamma)
		}
		_, total := d.Spatial(d.Lift(delta), decayed, true)
		want = new(big.Rat).Add(mul(rat(delta, ef), rat(d.InverseWidth, uf)), rat(decayed, ef))
		if total != in(d.Error, want) {
			t.Fatalf("Spatial(%d, %d) is %d, want %d", delta, decayed, total, in(d.Error, want))
		}
		dw, register := any(d.Gradient), any(d.Error)*3
		if got := d.Accumulate(dw, register); got != in(d.Gradient, new(big.Rat).Add(rat(dw, gf), rat(register, ef))) {
			t.Fatalf("Accumulate(%d, %d) is %d", dw, register, got)
		}
	}
}

// The window of Eq. 6 has neither of its ends.
func TestTheSurrogatesWindowIsOpen(t *testing.T) {
	d, err := New(testWorkload(t), 4, Formats{Format{3, 13}, Format{4, 12}, Format{2, 14}, Format{6, 10}})
	if err != nil {
		t.Fatal(err)
	}
	for _, side := range []int64{-1, 1} {
		edge := d.Threshold + side*d.HalfWidth
		if d.Window(edge) || !d.Window(edge-side) {
			t.Errorf("at u_th %+d a/2 the window is %v, one last place inside %v", side, d.Window(edge), d.Window(edge-side))
		}
	}
}

// The output error is the derivative of Eq. 3: K times less of it where all
// spikes of the label's neuron, or none of another's, have come.
func TestOutputErrorsAreRatesLessLabels(t *testing.T) {
	d, err := New(testWorkload(t), 4, Formats{Format{3, 13}, Format{4, 12}, Format{2, 14}, Format{6, 10}})
	if err != nil {
		t.Fatal(err)
	}
	for count := range int64(5) {
		for label, missing := range map[bool]int64{false: count, true: count - 4} {
			want := float64(missing) * d.Loss.Value()
			got := d.Error.Value(d.OutputError(count, label))
			if math.Abs(got-want) > d.Error.Value(1) {
				t.Errorf("%d spikes of 4, label %v: %v; want %v", count, label, got, want)
			}
		}
	}
}

// SGD: v = m v + dw, w = w - lr v.
func TestUpdatesCarryTheMomentOfTheStepBefore(t *testing.T) {
	d, err := New(testWorkload(t), 4, Formats{Format{3, 13}, Format{4, 12}, Format{2, 14}, Format{6, 10}})
	if err != nil {
		t.Fatal(err)
	}
	momentum, rate := d.Potential.Value(d.Momentum), d.Rate.Value()
	for _, c := range [][2]int64{{3000, 0}, {0, 2000}, {-1500, 700}, {4000, -4000}} {
		v, dw := d.Gradient.Value(c[0]), d.Gradient.Value(c[1])
		w, moment := d.Update(1<<10, c[0], c[1])
		if got, want := d.Gradient.Value(moment), momentum*v+dw; math.Abs(got-want) > d.Gradient.Value(1) {
			t.Errorf("v = %v, dw = %v: the moment is %v; want %v", v, dw, got, want)
		}
		if got, want := d.Weight.Value(w), d.Weight.Value(1<<10)-rate*d.Gradient.Value(moment); math.Abs(got-want) > d.Weight.Value(1) {
			t.Errorf("v = %v, dw = %v: the weight is %v; want %v", v, dw, got, want)
		}
	}
}

func TestParametersThatDoNotFitAreNamed(t *testing.T) {
	w := testWorkload(t)
	for _, c := range []struct{ format, parameter string }{
		{"q1.15", "1/a"}, {"q14.2", "tau"}, {"q4.2", "tau"},
	} {
		f, err := ParseFormats(c.format)
		if err != nil {
			t.Fatal(err)
		}
		_, err = New(w, 4, f)
		var cannot *CannotHold
		if !errors.As(err, &cannot) || cannot.Parameter.Name != c.parameter {
			t.Errorf("%s: %v", c.format, err)
			continue
		}
		if !cannot.Needs.holds(cannot.Parameter.Value) {
			t.Errorf("%s: %v is proposed for %v and does not hold it", c.format, cannot.Needs, cannot.Parameter.Value)
		}
	}
}

func TestScaledConstantsFillTheirBits(t *testing.T) {
	for _, v := range []float64{1, 0.1, 1e-9, 3.99999999, 255.9999999, 0.5} {
		s := scale(v)
		if math.Abs(s.Value()-v) > v/(1<<(mantissaBits-1)) || s.Mantissa >= 1<<(mantissaBits-1) || s.Mantissa < 1<<(mantissaBits-2) {
			t.Errorf("%v: %+v is %v", v, s, s.Value())
		}
	}
}

func FuzzParseFormats(f *testing.F) {
	f.Add("q4.12")
	f.Add("w=q2.14,u=q4.12,e=q3.13,g=q6.10")
	f.Fuzz(func(t *testing.T, text string) {
		formats, err := ParseFormats(text)
		if err != nil {
			return
		}
		if again, err := ParseFormats(formats.String()); err != nil || again != formats {
			t.Errorf("%q: %v is read back as %v (%v)", text, formats, again, err)
		}
	})
}
