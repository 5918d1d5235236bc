// Package importing reads what other tools write: SCALE-Sim's topology files,
// as workloads, and spikes recorded while a network ran in PyTorch, as the
// densities that `--activity` takes.
package importing

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/accelsim-dev/accelsim/internal/input"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/units"
)

// ScaleSim says what a topology file does not: it has layers' shapes only.
type ScaleSim struct {
	Timesteps int
	Encoding  network.Encoding
	Batch     int // 0: the default of workload files
	// Padding is what the first layer's map contains on each side: no layer
	// before it tells.
	Padding int
	// Classes, if not 0, appends a classifier: many topologies end before it.
	Classes int
}

// Topology is a SCALE-Sim topology as a workload.
type Topology struct {
	Layers string // Table 2 notation
	Input  network.Shape
	// Notes say what was inferred, each with its line.
	Notes []string

	options ScaleSim
	keeps   bool // the layer before pads its map itself
}

// convRow is one line of a topology.
type convRow struct {
	line                int
	name                string
	height, width       int // of the map that it reads
	filterHigh, filterW int
	channels, filters   int
	stride              int
	sparse              bool // has a sparsity column that is not dense
}

// out is what the layer makes of its map with so much padding.
func (r convRow) out(pad int) network.Shape {
	return network.Shape{
		Channels: r.filters, Height: (r.height+2*pad-r.filterHigh)/r.stride + 1, Width: (r.width+2*pad-r.filterW)/r.stride + 1,
	}
}

// same is the padding that keeps the size of a map.
func (r convRow) same() int { return (r.filterHigh - 1) / 2 }

// vector tells whether the layer reads a 1x1 map, or a row or column of values
// all at once: SCALE-Sim's users write fully connected layers in these ways.
func (r convRow) vector() bool {
	return (r.height == 1 || r.width == 1) && r.covers() && (r.stride == 1 || r.height*r.width > 1)
}

// values is how many values the layer's map has.
func (r convRow) values() int { return r.channels * r.height * r.width }

// scaleSim is what SCALE-Sim makes of the map: where the stride does not divide,
// it rounds up (ofmap_h = ceil((ifmap_h - filt_h + stride) / stride) in its
// topology_utils.py).
func (r convRow) scaleSim() network.Shape {
	return network.Shape{
		Channels: r.filters,
		Height:   units.CeilDiv(r.height-r.filterHigh+r.stride, r.stride), Width: units.CeilDiv(r.width-r.filterW+r.stride, r.stride),
	}
}

// macs is the layer's work where it makes that map.
func (r convRow) macs(made network.Shape) int64 {
	return int64(made.Size()) * int64(r.filterHigh) * int64(r.filterW) * int64(r.channels)
}

// covers tells whether the filter is as large as the map.
func (r convRow) covers() bool { return r.height == r.filterHigh && r.width == r.filterW }

// columns of a topology; an empty one follows the trailing comma.
var columns = []string{
	"IFMAP height", "IFMAP width", "filter height", "filter width", "channels", "number of filters", "strides",
}

const (
	maxLines  = 10_000
	maxExtent = 1 << 20 // of any number
)

// ReadTopology reads a SCALE-Sim topology (conv format of versions 1 to 3): a
// header line, then `name, IFMAP height, IFMAP width, filter height, filter
// width, channels, filters, strides,` a layer. Errors name file and line.
//
// The format is a list of layers' shapes, not a network. What joins them is
// inferred, and noted:
//   - a map larger than the layer before makes is that map padded, by less than
//     the filter and the same on all sides;
//   - a smaller one is average-pooled by a square window, stride = window;
//   - a layer may also pad its map itself, so as to keep its size: many files
//     have maps before padding. It is taken to where what follows then needs
//     less of the above;
//   - a 1x1 map with a channel per value of the map before it, pooled or not,
//     is fully connected, and so is a row or column of these values that the
//     filter covers.
//
// Where a stride does not divide, SCALE-Sim rounds the size of a map up and Table 2
// down; a note says so, with the work of both.
//
// The last layer is the classifier: fully connected, or a filter that covers
// its map. Anything else, such as branches and depthwise layers, is an error.
func ReadTopology(r io.Reader, name string, o ScaleSim) (*Topology, error) {
	rows, err := readRows(r, name)
	if err != nil {
		return nil, err
	}
	t := &Topology{options: o}
	first, pad := rows[0], o.Padding
	if pad < 0 || first.height <= 2*pad || first.width <= 2*pad {
		return nil, fmt.Errorf("%s:%d: a padding of %d on each side leaves nothing of the first layer's %dx%d map",
			name, first.line, pad, first.height, first.width)
	}
	t.Input = network.Shape{Channels: first.channels, Height: first.height - 2*pad, Width: first.width - 2*pad}
	if first.vector() && pad == 0 {
		t.Input = network.Shape{Channels: first.values(), Height: 1, Width: 1}
	}
	shape := t.Input
	var tokens []string
	for i, row := range rows {
		var next *convRow
		if i+1 < len(rows) {
			next = &rows[i+1]
		}
		if tokens, shape, err = t.layer(tokens, row, next, shape); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, row.line, err)
		}
	}
	if o.Classes != 0 {
		tokens = append(tokens, strconv.Itoa(o.Classes)+"FC")
		t.Notes = append(t.Notes, fmt.Sprintf("a classifier of %d classes is appended", o.Classes))
	}
	t.Layers = strings.Join(tokens, "-")
	return t, nil
}

func (t *Topology) note(row convRow, format string, args ...any) {
	t.Notes = append(t.Notes, fmt.Sprintf("line %d, %s: %s", row.line, row.name, fmt.Sprintf(format, args...)))
}

// join is what lies between two layers.
type join struct {
	window int  // of average pooling, 0 for none
	pad    int  // of the second layer
	flat   bool // the second layer is fully connected
}

// layer appends a row's tokens and returns the shape that it makes.
func (t *Topology) layer(tokens []string, row convRow, next *convRow, shape network.Shape) ([]string, network.Shape, error) {
	j, err := connect(row, shape)
	if err != nil {
		return nil, shape, err
	}
	if row.sparse {
		t.note(row, "its sparsity is ignored: weights are dense here")
	}
	if j.window > 0 {
		tokens = append(tokens, fmt.Sprintf("%dAP%d", shape.Channels, j.window))
		pooled := network.Shape{Channels: shape.Channels, Height: shape.Height / j.window, Width: shape.Width / j.window}
		t.note(row, "the layer before makes %v, this one reads %v: %dx%d average pooling inserted", shape, pooled, j.window, j.window)
		shape = pooled
	}
	if next == nil && t.options.Classes == 0 && !j.flat {
		if !row.covers() || j.pad > 0 {
			return nil, shape, fmt.Errorf("the last layer, %s, is a convolution of a %dx%d map; the last layer must be the classifier:"+
				" a 1x1 map with a channel per value before it, or a filter that covers the map; or append one with --classes",
				row.name, row.height, row.width)
		}
		t.note(row, "the filter covers the whole map: fully connected")
		j.flat = true
	}
	if j.flat {
		if shape.Positions() > 1 && row.vector() {
			t.note(row, "reads %v flattened: fully connected", shape)
		}
		return append(tokens, strconv.Itoa(row.filters)+"FC"), network.Shape{Channels: row.filters, Height: 1, Width: 1}, nil
	}
	if row.filterHigh != row.filterW {
		return nil, shape, fmt.Errorf("filter of %dx%d; Table 2 notation has square filters only", row.filterHigh, row.filterW)
	}
	made := row.out(0)
	switch {
	case j.pad > 0:
		t.note(row, "its %dx%d map is %dx%d padded by %d", row.height, row.width, shape.Height, shape.Width, j.pad)
	case row.same() == 0:
	case next == nil && t.keeps, next != nil && cost(*next, row.out(row.same())) < cost(*next, made):
		j.pad, made, t.keeps = row.same(), row.out(row.same()), true
		t.note(row, "taken to pad its map by %d, as what follows reads what it then makes", j.pad)
	default:
		t.keeps = false
	}
	if theirs := row.scaleSim(); j.pad == 0 && theirs != made {
		t.note(row, "stride %d does not divide: SCALE-Sim rounds up to a map of %dx%d (%d MACs), here it is %dx%d (%d MACs)",
			row.stride, theirs.Height, theirs.Width, row.macs(theirs), made.Height, made.Width, row.macs(made))
	}
	token := fmt.Sprintf("%dC%d", row.filters, row.filterHigh)
	if j.pad != row.same() {
		token += "p" + strconv.Itoa(j.pad)
	}
	if row.stride > 1 {
		token += "s" + strconv.Itoa(row.stride)
	}
	return append(tokens, token), made, nil
}

// cost ranks what must lie between a shape and the map that a row reads: nothing
// is the most likely, both pooling and padding the least.
func cost(row convRow, shape network.Shape) int {
	j, err := connect(row, shape)
	switch {
	case err != nil:
		return 4
	case j.window > 0 && j.pad > 0:
		return 3
	case j.window > 0 || j.pad > 0:
		return 1
	}
	return 0
}

// connect finds what leads from a shape to the map that a row reads.
func connect(row convRow, shape network.Shape) (join, error) {
	same := row.channels == shape.Channels && row.height == shape.Height && row.width == shape.Width
	if row.vector() && (!same || shape.Positions() == 1) {
		if row.values() == shape.Size() {
			return join{flat: true}, nil
		}
		if window := flatWindow(shape, row.values()); window > 0 {
			return join{window: window, flat: true}, nil
		}
	}
	if same {
		return join{}, nil
	}
	if row.channels != shape.Channels {
		return join{}, fmt.Errorf("%s reads %d channels, but the layer before makes %v; branches, grouped and depthwise layers cannot be written",
			row.name, row.channels, shape)
	}
	if extra := row.height - shape.Height; extra > 0 && extra%2 == 0 && row.width-shape.Width == extra && extra/2 < row.filterHigh {
		return join{pad: extra / 2}, nil
	}
	for _, pad := range []int{0, row.same()} {
		if window := windowOf(shape, row.height-2*pad, row.width-2*pad); window > 1 {
			return join{window: window, pad: pad}, nil
		}
	}
	return join{}, fmt.Errorf("%s reads a %dx%d map, but the layer before makes %dx%d; no padding and no square pooling window lead from one to the other",
		row.name, row.height, row.width, shape.Height, shape.Width)
}

// windowOf returns the pooling window (stride = window, a remainder is dropped)
// that makes height x width of shape, 0 if there is none.
func windowOf(shape network.Shape, height, width int) int {
	if height < 1 || width < 1 || height > shape.Height || width > shape.Width {
		return 0
	}
	window := shape.Height / height // the one that drops least
	if shape.Height/window == height && shape.Width/window == width {
		return window
	}
	return 0
}

// flatWindow returns the largest pooling window, the one that drops least, that
// leaves so many values of shape, 0 if there is none.
func flatWindow(shape network.Shape, values int) int {
	for window := min(shape.Height, shape.Width); window > 1; window-- {
		if shape.Channels*(shape.Height/window)*(shape.Width/window) == values {
			return window
		}
	}
	return 0
}

func readRows(r io.Reader, name string) ([]convRow, error) {
	lines := input.NewLines(r, name)
	var rows []convRow
	header := false
	for lines.Scan() {
		n := lines.Line()
		text := strings.TrimSpace(lines.Text())
		if strings.Trim(text, ", \t") == "" {
			continue
		}
		fields := strings.Split(text, ",")
		for i := range fields {
			fields[i] = strings.TrimSpace(fields[i])
		}
		if !header {
			header = true
			if err := checkHeader(fields); err != nil {
				return nil, fmt.Errorf("%s:%d: %w", name, n, err)
			}
			continue
		}
		if len(rows) == maxLines {
			return nil, fmt.Errorf("%s:%d: more than %d layers", name, n, maxLines)
		}
		row, err := readRow(fields)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, n, err)
		}
		row.line = n
		rows = append(rows, row)
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if !header {
		return nil, fmt.Errorf("%s: is empty; the first line is the header %q", name, headerExample)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%s:%d: no layers below the header", name, lines.Line())
	}
	return rows, nil
}

const headerExample = "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,"

// checkHeader refuses a first line that is a layer, which SCALE-Sim would skip,
// and the GEMM format (Layer, M, N, K).
func checkHeader(fields []string) error {
	for _, field := range fields[1:] {
		if _, err := strconv.Atoi(field); err == nil {
			return fmt.Errorf("the first line is a layer; it must be the header %q", headerExample)
		}
	}
	if len(fields) < 2 || !strings.HasPrefix(strings.ToLower(fields[1]), "ifmap") {
		return fmt.Errorf("this is no conv topology; the first line must be the header %q", headerExample)
	}
	return nil
}

func readRow(fields []string) (convRow, error) {
	sparse := false
	for len(fields) > 8 { // a trailing comma, and version 3's sparsity such as 2:4
		last := fields[len(fields)-1]
		some, of, ratio := strings.Cut(last, ":")
		if last != "" && !(ratio && isNumber(some) && isNumber(of)) {
			break
		}
		sparse = sparse || some != of
		fields = fields[:len(fields)-1]
	}
	if len(fields) != 8 {
		return convRow{}, fmt.Errorf("%d fields; a layer has a name and %s", len(fields), strings.Join(columns, ", "))
	}
	row := convRow{name: fields[0], sparse: sparse}
	if row.name == "" {
		row.name = "the layer"
	}
	for i, to := range []*int{&row.height, &row.width, &row.filterHigh, &row.filterW, &row.channels, &row.filters, &row.stride} {
		v, err := strconv.Atoi(fields[i+1])
		if err != nil || v < 1 || v > maxExtent {
			return row, fmt.Errorf("%s is %q; write a whole number from 1 to %d", columns[i], fields[i+1], maxExtent)
		}
		*to = v
	}
	if row.filterHigh > row.height || row.filterW > row.width {
		return row, fmt.Errorf("%s has a %dx%d filter, larger than its %dx%d map", row.name, row.filterHigh, row.filterW, row.height, row.width)
	}
	return row, nil
}

func isNumber(s string) bool {
	_, err := strconv.ParseUint(s, 10, 16)
	return err == nil
}

// YAML returns the workload file, with what was inferred as comments. What
// cannot be a workload, such as a map that nothing is left of, is an error.
func (t *Topology) YAML(source string) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# From the SCALE-Sim topology %s. It has layers' shapes only: timesteps and encoding are not in it.\n", input.Printable(source))
	for _, note := range t.Notes {
		fmt.Fprintf(&b, "# %s\n", input.Printable(note))
	}
	fmt.Fprintf(&b, "input: {channels: %d, height: %d, width: %d, encoding: %s}\n", t.Input.Channels, t.Input.Height, t.Input.Width, t.options.Encoding)
	fmt.Fprintf(&b, "layers: %s\ntimesteps: %d\n", t.Layers, t.options.Timesteps)
	if t.options.Batch != 0 {
		fmt.Fprintf(&b, "batch: %d\n", t.options.Batch)
	}
	if _, err := network.Read(b.Bytes(), source); err != nil {
		return nil, fmt.Errorf("the layers become %q, which is no workload: %w", t.Layers, err)
	}
	return b.Bytes(), nil
}
