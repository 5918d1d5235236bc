package pe

import (
	"math/rand/v2"
	"testing"

	"github.com/accelsim-dev/accelsim/network"
)

// draw returns a random part of so many rows, columns or channels, never empty.
func draw(r *rand.Rand, n int) Span {
	from := r.IntN(n)
	return Span{from, from + 1 + r.IntN(n-from)}
}

func drawWindow(r *rand.Rand, s network.Shape) Window {
	return Window{draw(r, s.Height), draw(r, s.Width), draw(r, s.Channels)}
}

// cutMap copies a part of a map [row][column][channel].
func cutMap(values []float32, s network.Shape, w Window) (part []float32) {
	for y := w.Rows.From; y < w.Rows.To; y++ {
		for x := w.Columns.From; x < w.Columns.To; x++ {
			at := (y*s.Width + x) * s.Channels
			part = append(part, values[at+w.Channels.From:at+w.Channels.To]...)
		}
	}
	return part
}

// cutWeights copies the weights of some rows and columns of the kernel, from
// some channels to others.
func (c Connection) cutWeights(weights []float32, kernel Window, out Span) (part []float32) {
	for ky := kernel.Rows.From; ky < kernel.Rows.To; ky++ {
		for kx := kernel.Columns.From; kx < kernel.Columns.To; kx++ {
			for channel := kernel.Channels.From; channel < kernel.Channels.To; channel++ {
				part = append(part, c.row(weights, ky, kx, channel)[out.From:out.To]...)
			}
		}
	}
	return part
}

func TestATileOfSumsIsThatPartOfAllSums(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 1))
	for range 1000 {
		c := geometry(r)
		in := Input{Real: r.IntN(2) == 0}
		values, weights := inputs(r, c.In.Size(), 3, in.Real), normals(r, c.Weights())
		in.List(values)
		all := make([]float32, c.Out.Size())
		c.Sum(all, weights, &in)

		out := drawWindow(r, c.Out)
		part, window := c.To(out)
		in.List(cutMap(values, c.In, window))
		got := make([]float32, part.Out.Size())
		part.Sum(got, c.cutWeights(weights, Window{Span{0, c.Height}, Span{0, c.Width}, window.Channels}, out.Channels), &in)
		sameBits(t, "sum", got, cutMap(all, c.Out, out))
	}
}

func TestSumsContinueFromTileToTileOfTheirInputs(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 1))
	for range 300 {
		in := network.Shape{Channels: 1 + r.IntN(4), Height: 1 + r.IntN(4), Width: 1 + r.IntN(4)}
		c := Full(in, 1+r.IntN(4))
		values, weights := inputs(r, in.Size(), 1, false), normals(r, c.Weights())
		var one Input
		one.List(values)
		want, got := make([]float32, c.Out.Channels), make([]float32, c.Out.Channels)
		wantTerms, terms := c.Sum(want, weights, &one), int64(0)
		flat, out := c.Flat(), Span{0, c.Out.Channels}
		for from := 0; from < in.Size(); {
			d := Span{from, from + 1 + r.IntN(in.Size()-from)}
			one.List(values[d.From:d.To])
			terms += flat.Between(d, out).Sum(got, flat.cutWeights(weights, Window{Span{0, 1}, Span{0, 1}, d}, out), &one)
			from = d.To
		}
		sameBits(t, "sum", got, want)
		if terms != wantTerms {
			t.Fatalf("%d additions in tiles, %d at once", terms, wantTerms)
		}
	}
}

func TestATileOfErrorsIsThatPartOfAllErrors(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 1))
	before := 0
	for range 1000 {
		c := geometry(r)
		weights, gamma := normals(r, c.Weights()), inputs(r, c.Out.Size(), 1, true)
		all := make([]float32, c.In.Size())
		c.Errors(all, weights, gamma, nil)

		in := drawWindow(r, c.In)
		part, out, kernel := c.From(in)
		if part.Top < 0 {
			before++
		}
		got := make([]float32, part.In.Size())
		part.Errors(got, c.cutWeights(weights, kernel, out.Channels), cutMap(gamma, c.Out, out), nil)
		sameBits(t, "error", got, cutMap(all, c.In, in))
	}
	if before == 0 {
		t.Error("no tile began before the first tap of its first output")
	}
}

func TestATileOfGradientsIsThatPartOfAllGradients(t *testing.T) {
	r := rand.New(rand.NewPCG(14, 1))
	for range 500 {
		c := geometry(r)
		in := Input{Real: r.IntN(2) == 0, Values: inputs(r, c.In.Size(), 3, true)}
		gamma, all := normals(r, c.Out.Size()), make([]float32, c.Weights())
		took := c.Gradient(all, gamma, make([]float32, c.Out.Channels), &in)

		whole := Window{Span{0, c.In.Height}, Span{0, c.In.Width}, Span{}}
		places := Window{Span{0, c.Out.Height}, Span{0, c.Out.Width}, Span{}}
		var sum GradientEvents
		cutIn, cutOut := r.IntN(c.In.Channels), r.IntN(c.Out.Channels)
		for _, whole.Channels = range []Span{{0, cutIn}, {cutIn, c.In.Channels}} {
			for _, places.Channels = range []Span{{0, cutOut}, {cutOut, c.Out.Channels}} {
				part := c.Between(whole.Channels, places.Channels)
				got := make([]float32, part.Weights())
				one := Input{Real: in.Real, Values: cutMap(in.Values, c.In, whole)}
				in, out := whole.Channels, places.Channels
				if in.Len() == 0 || out.Len() == 0 {
					continue
				}
				tile := part.Gradient(got, cutMap(gamma, c.Out, places), make([]float32, out.Len()), &one)
				sum.Weights += tile.Weights
				sum.Terms += tile.Terms
				sum.Scaled += tile.Scaled
				sameBits(t, "gradient", got, c.cutWeights(all, Window{Span{0, c.Height}, Span{0, c.Width}, in}, out))
			}
		}
		if sum != took {
			t.Fatalf("tiles took %+v, all at once %+v", sum, took)
		}
	}
}

func TestBatchNormOfTilesIsThatOfTheBatch(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 1))
	for range 200 {
		channels, m := 1+r.IntN(3), 1+r.IntN(20)
		sums, gamma, parameter := normals(r, channels*m), normals(r, channels*m), normals(r, 2*channels)
		// run goes over the batch in tiles that end at the given values.
		run := func(ends []int) (running, saved, out, gradient, errors []float32) {
			words := make([]uint32, NormWords*channels)
			for i := range words {
				words[i] = r.Uint32() // whatever was there
			}
			out, saved, errors = append(out, sums...), make([]float32, len(sums)), make([]float32, len(sums))
			running, gradient = make([]float32, 2*channels), make([]float32, 2*channels)
			each := func(do func(from, to int, first, last bool)) {
				from := 0
				for i, to := range ends {
					do(from*channels, to*channels, i == 0, i == len(ends)-1)
					from = to
				}
			}
			each(func(a, b int, first, last bool) { NormMean(words, out[a:b], m, first, last) })
			each(func(a, b int, first, last bool) { NormVariance(words, out[a:b], m, first, last) })
			NormStatistics(words, running, m)
			each(func(a, b int, _, _ bool) { Normalize(words, out[a:b], parameter, saved[a:b]) })
			deviations := make([]uint32, 2*channels)
			NormDeviations(deviations, words)
			clear(words)
			TakeNormDeviations(words, deviations)
			each(func(a, b int, first, _ bool) { NormGradients(words, gamma[a:b], saved[a:b], first) })
			AddNormGradients(words, gradient)
			each(func(a, b int, _, _ bool) { NormErrors(words, errors[a:b], gamma[a:b], parameter, saved[a:b], m) })
			return running, saved, out, gradient, errors
		}
		var ends []int
		for at := 0; at < m; {
			at += 1 + r.IntN(m-at)
			ends = append(ends, at)
		}
		running, saved, out, gradient, errors := run(ends)
		running1, saved1, out1, gradient1, errors1 := run([]int{m})
		sameBits(t, "running statistic", running, running1)
		sameBits(t, "normalised sum", saved, saved1)
		sameBits(t, "output", out, out1)
		sameBits(t, "gradient", gradient, gradient1)
		sameBits(t, "error", errors, errors1)
	}
}
