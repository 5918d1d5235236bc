package golden

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// withoutVectors runs f on the Go versions of the kernels.
func withoutVectors(f func()) {
	was := vectors
	vectors = false
	defer func() { vectors = was }()
	f()
}

func needVectors(t *testing.T) {
	if !vectors {
		t.Skip("this CPU has no AVX2 and BMI2")
	}
}

func TestAssemblyTrainsTheSameBits(t *testing.T) {
	needVectors(t)
	for seed := range uint64(randomTasks) {
		v := newTask(t, seed)
		got := v.run(t, 2)
		withoutVectors(func() { mustEqual(t, v.run(t, 2), got) })
		v, _ = newGeneralTask(t, seed)
		got = v.run(t, 2)
		withoutVectors(func() { mustEqual(t, v.run(t, 2), got) })
	}
}

// awkward draws floats of all magnitudes, zeros and values at the threshold
// among them.
func awkward(random *rand.Rand, n int) []float32 {
	values := make([]float32, n)
	for i := range values {
		switch random.IntN(8) {
		case 0:
			values[i] = 0
		case 1:
			values[i] = 0.5
		case 2:
			values[i] = float32(math.Copysign(0, -1))
		case 3:
			values[i] = float32(random.NormFloat64()) * 1e-39 // subnormal
		default:
			values[i] = float32(random.NormFloat64() * math.Pow(10, float64(random.IntN(7)-3)))
		}
	}
	return values
}

func sameBits(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i := range want {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			t.Fatalf("%s: value %d is %g, want %g", what, i, got[i], want[i])
		}
	}
}

func TestKernelsEqualTheirGoVersions(t *testing.T) {
	needVectors(t)
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 0))
		for _, width := range []int{8, 16, 32, 64} {
			stride, n := width+lanes*random.IntN(3), 1+random.IntN(40)
			rows, scale := awkward(random, 64*stride+width+5*lanes), awkward(random, n)
			index := make([]int32, n)
			for i := range index {
				index[i] = int32(random.IntN(60))
			}
			offset := random.IntN(4)
			a := awkward(random, width)
			b := clone(a)
			addRows(a, rows, offset, stride, index)
			addRowsGo(b, rows, offset, stride, index)
			sameBits(t, fmt.Sprintf("addRows %d", width), a, b)
			addScaledRows(a, rows, offset, stride, index, scale)
			addScaledRowsGo(b, rows, offset, stride, index, scale)
			sameBits(t, fmt.Sprintf("addScaledRows %d", width), a, b)
			for _, taps := range []int{2, 3, 5} {
				a, b := awkward(random, taps*width), []float32(nil)
				b = clone(a)
				addTaps(a, rows, offset, stride, lanes, taps, index)
				addTapsGo(b, rows, offset, stride, lanes, taps, index)
				sameBits(t, fmt.Sprintf("addTaps %d %d", width, taps), a, b)
				if width == lanes {
					addScaledTaps(a, rows, offset, stride, lanes, index, scale)
					addScaledTapsGo(b, rows, offset, stride, lanes, index, scale)
					sameBits(t, fmt.Sprintf("addScaledTaps %d", taps), a, b)
				}
			}
		}
		n := lanes * (1 + random.IntN(9))
		p := &lifParameters{leak: random.Float32(), reset: random.Float32(), threshold: 0.5, halfWidth: 0.25, inverseWidth: 2}
		previous, sum, spatial := awkward(random, n), awkward(random, n), awkward(random, n)
		u, v := make([]float32, n), make([]float32, n)
		s, r := make([]byte, n), make([]byte, n)
		fire(u, previous, sum, s, p)
		fireGo(v, previous, sum, r, p)
		sameBits(t, "fire", u, v)
		if string(s) != string(r) {
			t.Fatalf("fire: spikes %v, want %v", s, r)
		}
		for _, last := range []bool{false, true} {
			g := awkward(random, n)
			h := clone(g)
			potentialError(g, spatial, previous, p, last)
			potentialErrorGo(h, spatial, previous, p, last)
			sameBits(t, "potentialError", g, h)
		}
		w, m, dw := awkward(random, n+3), awkward(random, n+3), awkward(random, n+3)
		w2, m2 := clone(w), clone(m)
		momentum(w, m, dw, 0.9, 0.1)
		momentumGo(w2, m2, dw, 0.9, 0.1)
		sameBits(t, "momentum, weights", w, w2)
		sameBits(t, "momentum", m, m2)
		add(u, sum)
		addGo(v, sum)
		sameBits(t, "add", u, v)
		testLists(t, random)
		testConvolve(t, random)
	}
}

func testLists(t *testing.T, random *rand.Rand) {
	channels := lanes * (1 + random.IntN(4))
	n := channels * (1 + random.IntN(6))
	values := awkward(random, n)
	spikes := make([]byte, n)
	for i := range spikes {
		spikes[i] = byte(random.IntN(2))
	}
	list := func(byGo bool) string {
		index, value, start := make([]int32, n), make([]float32, n), make([]int32, n/channels+1)
		var listed int
		if byGo {
			listed = listSpikesGo(index, start, spikes, channels)
		} else {
			listed = listSpikes(index, start, spikes, channels)
		}
		text := fmt.Sprint(index[:listed], start)
		if byGo {
			listed = listFloatsGo(index, value, start, values, channels, 24, 7)
		} else {
			listed = listFloats(index, value, start, values, channels, 24, 7)
		}
		return text + fmt.Sprint(index[:listed], value[:listed], start[:n/channels])
	}
	if got, want := list(false), list(true); got != want {
		t.Fatalf("lists %s, want %s", got, want)
	}
}

func testConvolve(t *testing.T, random *rand.Rand) {
	height, taps := 1+random.IntN(5), 1+random.IntN(8)
	step, row := 1+random.IntN(3), 40
	x, weights := awkward(random, height*row), awkward(random, height*taps*lanes)
	a, b := make([]float32, maxBlock), make([]float32, maxBlock)
	convolve(a, x, weights, step, row, height, taps)
	convolveGo(b, x, weights, step, row, height, taps)
	sameBits(t, "convolve", a, b)
}

func BenchmarkAddRows(b *testing.B) {
	rows := make([]float32, 1000*maxBlock)
	index := make([]int32, 100)
	for i := range index {
		index[i] = int32(i * 9)
	}
	acc := make([]float32, maxBlock)
	for _, kernel := range []struct {
		name string
		run  func(acc, rows []float32, offset, stride int, index []int32)
	}{{"assembly", addRows}, {"go", addRowsGo}} {
		b.Run(kernel.name, func(b *testing.B) {
			b.SetBytes(int64(4 * maxBlock * len(index)))
			for b.Loop() {
				kernel.run(acc, rows, 0, maxBlock, index)
			}
		})
	}
}
