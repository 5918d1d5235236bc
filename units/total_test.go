package units

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// wide draws a total with the big integer that it is.
func wide(r *rapid.T, name string) (Time, *big.Int) {
	n := rapid.Int64().Draw(r, name)
	t := TotalOf(Picoseconds(n)).Times(rapid.SampledFrom([]int64{0, 1, 3, 1 << 40, math.MaxInt64}).Draw(r, name+" times"))
	t.Add(Picoseconds(rapid.Int64().Draw(r, name+" plus")))
	return t, t.Big()
}

// TestTotalsAreBigIntegers: big.Int is the slow reference of all arithmetic.
func TestTotalsAreBigIntegers(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n, m := rapid.Int64().Draw(r, "n"), rapid.Int64().Draw(r, "m")
		bigN, bigM := big.NewInt(n), big.NewInt(m)
		if got, want := TotalOf(n).Times(m).Big(), new(big.Int).Mul(bigN, bigM); got.Cmp(want) != 0 {
			r.Errorf("%d x %d is %v", n, m, got)
		}
		a, bigA := wide(r, "a")
		a, bigA = a.Minus(TotalOf(Picoseconds(n))), bigA.Sub(bigA, bigN)
		b, bigB := wide(r, "b")
		// Halves, so that sums fit.
		a, bigA = halve(a, bigA)
		b, bigB = halve(b, bigB)
		for what, c := range map[string]struct {
			got  Time
			want *big.Int
		}{
			"itself":     {a, bigA},
			"plus":       {a.PlusTotal(b), new(big.Int).Add(bigA, bigB)},
			"minus":      {a.Minus(b), new(big.Int).Sub(bigA, bigB)},
			"plus one":   {a.Plus(Picoseconds(n)), new(big.Int).Add(bigA, bigN)},
			"as another": {As[Picoseconds](As[Cycles](a)), bigA},
		} {
			if c.got.Big().Cmp(c.want) != 0 || c.got.String() != c.want.String() {
				r.Errorf("%s of %v and %v: %v, want %v", what, bigA, bigB, c.got, c.want)
			}
		}
		if got, want := a.Compare(b), bigA.Cmp(bigB); got != want || a.Less(b) != (want < 0) {
			r.Errorf("%v against %v: %d", a, b, got)
		}
		smaller, larger := a.Min(b), a.Max(b)
		if larger.Less(smaller) || !(smaller == a && larger == b || smaller == b && larger == a) {
			r.Errorf("of %v and %v the smaller is %v, the larger %v", a, b, smaller, larger)
		}
		if got, want := a.Sign(), bigA.Sign(); got != want {
			r.Errorf("the sign of %v is %d", a, got)
		}
		if got, fits := a.One(); fits != bigA.IsInt64() || fits && int64(got) != bigA.Int64() {
			r.Errorf("%v as one: %d, %v", a, got, fits)
		}
		nearest, _ := new(big.Float).SetInt(bigA).Float64()
		if got := a.Float64(); got != nearest {
			r.Errorf("%v as a float is %v, want %v", a, got, nearest)
		}
		if by := Picoseconds(m); by > 0 && a.Sign() >= 0 {
			quotient, remainder := new(big.Int).QuoRem(bigA, bigM, new(big.Int))
			q, rest := a.DivMod(by)
			if q.Big().Cmp(quotient) != 0 || int64(rest) != remainder.Int64() {
				r.Errorf("%v / %d is %v, %d left", a, m, q, rest)
			}
			up := a.CeilDiv(by)
			if remainder.Sign() > 0 {
				quotient.Add(quotient, big.NewInt(1))
			}
			if up.Big().Cmp(quotient) != 0 || Clocks(a, by) != As[Cycles](up) {
				r.Errorf("%v / %d rounded up is %v", a, m, up)
			}
		}
	})
}

// halve returns a total and its integer, rounded down to a half.
func halve(t Time, b *big.Int) (Time, *big.Int) {
	return Time{t.high >> 1, t.low>>1 | uint64(t.high)<<63}, new(big.Int).Rsh(b, 1)
}

func TestTotalsDoNotEndWhere64BitsDo(t *testing.T) {
	day := 86400 * Second
	hundred := TotalOf(100 * day)
	days := Sum(hundred, hundred, hundred)
	if got := Seconds(days); got != 300*86400 {
		t.Errorf("300 days are %v s", got)
	}
	if got := Clocks(days, Second); got != TotalOf[Cycles](300*86400) {
		t.Errorf("300 days are %v clocks of a second", got)
	}
	if _, fits := days.One(); fits {
		t.Error("300 days of picoseconds are said to fit in 64 bits")
	}
}

// TestTotalsAreIntegersInPrint, in JSON and out of it.
func TestTotalsAreIntegersInPrint(t *testing.T) {
	for _, c := range []struct {
		total Total[Cycles]
		want  string
	}{
		{Total[Cycles]{}, "0"},
		{TotalOf[Cycles](-7), "-7"},
		{TotalOf[Cycles](math.MaxInt64).Plus(1), "9223372036854775808"},
		{TotalOf[Cycles](math.MinInt64).Plus(-1), "-9223372036854775809"},
		{Total[Cycles]{math.MaxInt64, math.MaxUint64}, "170141183460469231731687303715884105727"},
	} {
		text, err := json.Marshal(c.total)
		if err != nil || string(text) != c.want || fmt.Sprint(c.total) != c.want || fmt.Sprintf("%d", c.total) != c.want {
			t.Errorf("%v is written as %s, %v; want %s", c.total, text, err, c.want)
		}
		var again Total[Cycles]
		if err := json.Unmarshal([]byte(c.want), &again); err != nil || again != c.total {
			t.Errorf("%s is read as %v, %v", c.want, again, err)
		}
	}
	if got := fmt.Sprintf("%6d|%v", TotalOf[Words](42), &struct{ T Total[Words] }{TotalOf[Words](1)}); got != "    42|&{1}" {
		t.Errorf("printed as %q", got)
	}
}

func TestTotalsAreReadAsWholeNumbersOnly(t *testing.T) {
	for _, text := range []string{"1.5", "1e3", `"7"`, "true", "[1]"} {
		if err := json.Unmarshal([]byte(text), new(Total[Words])); err == nil {
			t.Errorf("%s was read", text)
		}
	}
	kept := TotalOf[Words](3)
	if err := json.Unmarshal([]byte("null"), &kept); err != nil || kept != TotalOf[Words](3) {
		t.Errorf("null made %v, %v", kept, err)
	}
	if err := json.Unmarshal([]byte("170141183460469231731687303715884105728"), new(Total[Words])); !errors.Is(err, ErrOverflow) {
		t.Errorf("2^127: %v", err)
	}
}
