package golden

import "github.com/accelsim-dev/accelsim/network"

// synapses are the weights between a map and a layer or classifier.
//
// Weights, gradients and optimizer states are stored as blocks of output
// columns, [block][row][width], a row being a tap and input channel: (ky, kx,
// ci) ascending. Element (row r, column c of the block that starts at f) is at
// f rows + r width + (c - f). A fully connected layer, and a convolution that
// sees its whole input at once, is a 1x1 kernel on the flattened map. A
// convolution in groups is stored with all channels: weights between groups stay 0.
type synapses struct {
	name    string // of the tensor: w3, wc2
	in, out extent
	source  extent         // of the input before flattening
	kernel  network.Kernel // on in
	fileFC  bool           // the file's layout is [out][C][H][W] of the source
	rows    int            // taps times in.channels
	blocks  []columns
	frozen  bool

	weights, gradient, first, second []float32 // first: momentum or Adam's m; second: Adam's v

	// For errors to pass: the same weights by input columns, with the kernel
	// turned around, [block][(K-1-ky, K-1-kx, co)][width].
	passes   bool
	inBlocks []columns
	turned   []float32

	dense *denseInput // of a narrow layer that reads direct input, else nil
}

// single is a kernel of one tap.
func single() network.Kernel {
	one := network.Square(1)
	return network.Kernel{Size: one, Stride: one, Dilation: one, Groups: 1}
}

// newSynapses are a convolution's, or with no kernel a fully connected layer's.
func newSynapses(name string, source extent, kernel *network.Kernel, out extent) *synapses {
	s := &synapses{name: name, source: source, in: source, out: out, fileFC: kernel == nil}
	if s.fileFC || seesAll(kernel, source) {
		s.in, s.kernel = source.flat(), single()
	} else {
		s.kernel = *kernel
	}
	s.rows = s.taps() * s.in.channels
	s.blocks = split(out.channels)
	s.weights = make([]float32, s.rows*out.channels)
	return s
}

// seesAll tells whether a kernel is as large as its input.
func seesAll(k *network.Kernel, in extent) bool {
	return k.Size == network.Pair{Height: in.height, Width: in.width} && k.Pad == network.Pair{} && k.Dilation == network.Square(1) && k.Groups == 1
}

// taps is the number of positions that an output reads.
func (s *synapses) taps() int { return s.kernel.Size.Area() }

// isFlat tells whether input, kernel and output are single positions. A larger
// kernel on a map of one position has taps in the padding.
func (s *synapses) isFlat() bool {
	return s.in.positions() == 1 && s.out.positions() == 1 && s.taps() == 1 && s.kernel.Pad == network.Pair{} && s.kernel.Groups == 1
}

// strides tells whether the kernel skips positions of the input.
func (s *synapses) strides() bool { return s.kernel.Stride != network.Square(1) }

// border is how many columns beyond the map's left and right the gradient reads
// errors.
func (s *synapses) border() int {
	if s.isFlat() || s.strides() {
		return 0
	}
	k := &s.kernel
	return max(0, k.Dilation.Width*(k.Size.Width-1)-k.Pad.Width)
}

// fileKernel is the height and width that a filter has in the file's layout
// [out][C][H][W].
func (s *synapses) fileKernel() (height, width int) {
	if s.in != s.source || s.fileFC {
		return s.source.height, s.source.width
	}
	return s.kernel.Size.Height, s.kernel.Size.Width
}

// fanIn is the number of weights to one neuron.
func (s *synapses) fanIn() int {
	height, width := s.fileKernel()
	return s.source.used / s.kernel.Groups * height * width
}

// fileSize is the number of weights that exist.
func (s *synapses) fileSize() int { return s.out.used * s.fanIn() }

// each calls do with the index of every weight in the file's layout and in
// storage.
func (s *synapses) each(do func(file, stored int)) {
	height, width := s.fileKernel()
	taps, inputs := height*width, s.source.used/s.kernel.Groups
	for _, block := range s.blocks {
		for tap := range taps {
			for ci := range s.source.used {
				row := tap*s.source.channels + ci
				for c := block.first; c < min(block.first+block.width, s.out.used); c++ {
					if s.connected(ci, c) {
						do((c*inputs+ci%inputs)*taps+tap, block.first*s.rows+row*block.width+c-block.first)
					}
				}
			}
		}
	}
}

// connected tells whether an input and an output channel are of one group.
func (s *synapses) connected(ci, co int) bool {
	groups := s.kernel.Groups
	return groups == 1 || ci/(s.source.used/groups) == co/(s.out.used/groups)
}

// clearBetweenGroups clears what stands where there is no weight.
func (s *synapses) clearBetweenGroups(stored []float32) {
	for _, block := range s.blocks {
		for row := range s.rows {
			values := stored[block.first*s.rows+row*block.width:][:block.width]
			ci := row % s.in.channels
			for c := range values {
				if ci < s.source.used && block.first+c < s.out.used && !s.connected(ci, block.first+c) {
					values[c] = 0
				}
			}
		}
	}
}

// load stores weights given in the file's layout.
func (s *synapses) load(values []float32) {
	s.each(func(file, stored int) { s.weights[stored] = values[file] })
}

// unload returns stored values (weights, gradients, ...) in the file's layout.
func (s *synapses) unload(stored []float32) []float32 {
	values := make([]float32, s.fileSize())
	s.each(func(file, at int) { values[file] = stored[at] })
	return values
}
