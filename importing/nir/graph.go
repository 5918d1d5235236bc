// Package nir reads and writes networks of the NIR project (Pedersen et al.,
// "Neuromorphic intermediate representation", Nature Communications 15, 2024): nodes
// with parameters and edges between them, in an HDF5 file.
//
// A file is read in passes, each of which hands over a value: [Read] makes a flat
// [Graph], [Graph.Import] finds layers in it and writes them as a workload file with
// its weights. [Export] goes back.
package nir

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/accelsim-dev/accelsim/internal/hdf5"
	"github.com/accelsim-dev/accelsim/internal/input"
	"github.com/accelsim-dev/accelsim/internal/spelling"
)

// The kinds of node that are known.
const (
	inputKind   = "Input"
	outputKind  = "Output"
	graphKind   = "NIRGraph"
	flattenKind = "Flatten"
	delayKind   = "Delay"

	linearKind = "Linear"
	affineKind = "Affine"
	conv1dKind = "Conv1d"
	conv2dKind = "Conv2d"

	ifKind      = "IF"
	lifKind     = "LIF"
	cubaKind    = "CubaLIF"
	leakyKind   = "LI" // leaks, but does not fire
	sumKind     = "SumPool2d"
	averageKind = "AvgPool2d"
)

// kinds are all of them.
var kinds = []string{
	affineKind, averageKind, conv1dKind, conv2dKind, cubaKind, delayKind, flattenKind, ifKind, inputKind, leakyKind, lifKind,
	linearKind, graphKind, outputKind, sumKind,
}

// Graph is a network as a file has it, without graphs in graphs.
type Graph struct {
	Nodes []*Node // by name
	// Notes tell what was taken to be meant.
	Notes []string
}

// Node is one node.
type Node struct {
	Name     string // with the names of the graphs that it was in
	Kind     string
	from, to []*Node // by name
	values   map[string]*hdf5.Dataset
}

func (n *Node) String() string { return fmt.Sprintf("%s (%s)", n.Name, n.Kind) }

func (n *Node) is(kinds ...string) bool { return slices.Contains(kinds, n.Kind) }

func (n *Node) weighted() bool { return n.is(linearKind, affineKind, conv1dKind, conv2dKind) }
func (n *Node) neuron() bool   { return n.is(ifKind, lifKind, cubaKind) }
func (n *Node) pool() bool     { return n.is(sumKind, averageKind) }

// Open reads a file. Errors name it.
func Open(path string) (*Graph, error) {
	f, size, err := input.Data(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	root, err := hdf5.Read(f, size)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	g, err := Read(root)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return g, nil
}

// Read makes a graph of what a file holds.
func Read(root *hdf5.Group) (*Graph, error) {
	top := root.Groups["node"]
	if top == nil {
		return nil, fmt.Errorf("is no NIR file: it has no group called node")
	}
	if kind := text(top.Datasets["type"]); kind != graphKind {
		return nil, fmt.Errorf("is a single node of type %q; a %s is wanted", kind, graphKind)
	}
	r := &reader{graph: &Graph{}, nodes: map[string]*Node{}, graphs: map[string]ends{}, inner: map[*Node]bool{}}
	if err := r.read(top, ""); err != nil {
		return nil, err
	}
	if len(r.unknown) > 0 {
		const most = 8
		return nil, fmt.Errorf("has %d nodes that are not known: %s; known are %s",
			len(r.unknown), strings.Join(r.unknown[:min(most, len(r.unknown))], ", "), strings.Join(kinds, ", "))
	}
	r.graph.Nodes = slices.SortedFunc(maps.Values(r.nodes), func(a, b *Node) int { return strings.Compare(a.Name, b.Name) })
	for _, n := range slices.Clone(r.graph.Nodes) {
		if n.is(flattenKind) || r.inner[n] {
			if err := r.graph.bypass(n); err != nil {
				return nil, err
			}
		}
	}
	return r.graph, nil
}

// text returns a dataset's only string.
func text(d *hdf5.Dataset) string {
	if d == nil || d.Class != hdf5.String || d.Len() != 1 {
		return ""
	}
	return d.Text[0]
}

// reader flattens graphs in graphs.
type reader struct {
	graph   *Graph
	nodes   map[string]*Node
	graphs  map[string]ends // by name
	inner   map[*Node]bool  // inputs and outputs of graphs in graphs
	unknown []string
	edges   int
}

// ends are the nodes through which a graph in a graph reads and is read.
type ends struct{ inputs, outputs []*Node }

// Bounds of a graph.
const (
	maxNodes = 1 << 14
	maxEdges = 1 << 15
)

// read reads the nodes and edges of a graph whose names begin with a prefix.
func (r *reader) read(g *hdf5.Group, prefix string) error {
	at := "the file"
	if prefix != "" {
		at = strings.TrimSuffix(prefix, ".")
	}
	nodes := g.Groups["nodes"]
	if nodes == nil {
		return fmt.Errorf("%s has no nodes", at)
	}
	var own ends
	for _, name := range slices.Sorted(maps.Keys(nodes.Groups)) {
		n, err := r.node(nodes.Groups[name], prefix+name)
		switch {
		case err != nil:
			return err
		case n == nil || prefix == "":
		case n.is(inputKind):
			own.inputs = append(own.inputs, n)
			r.inner[n] = true
		case n.is(outputKind):
			own.outputs = append(own.outputs, n)
			r.inner[n] = true
		}
	}
	r.graphs[prefix] = own
	edges := g.Datasets["edges"]
	if edges == nil || edges.Class != hdf5.String || len(edges.Shape) != 2 || edges.Shape[1] != 2 {
		return fmt.Errorf("%s has no edges: pairs of names", at)
	}
	if r.edges += len(edges.Text) / 2; r.edges > maxEdges {
		return fmt.Errorf("has more than %d edges", maxEdges)
	}
	return r.connect(edges.Text, prefix, nodes)
}

// node reads one node; a graph, of which it reads all, is none.
func (r *reader) node(g *hdf5.Group, name string) (*Node, error) {
	if input.Printable(name) != name {
		return nil, fmt.Errorf("has a node whose name %q cannot be printed", name)
	}
	kind := text(g.Datasets["type"])
	if kind == graphKind {
		return nil, r.read(g, name+".")
	}
	if !slices.Contains(kinds, kind) {
		r.unknown = append(r.unknown, fmt.Sprintf("%s of type %q%s", name, kind, spelling.Suggest(kind, kinds)))
	}
	if r.nodes[name] != nil {
		return nil, fmt.Errorf("%s is there twice: as a node, and as one of a graph in it", name)
	}
	if len(r.nodes) == maxNodes {
		return nil, fmt.Errorf("has more than %d nodes", maxNodes)
	}
	n := &Node{Name: name, Kind: kind, values: g.Datasets}
	r.nodes[name] = n
	return n, nil
}

// connect adds the edges of a graph.
func (r *reader) connect(edges []string, prefix string, nodes *hdf5.Group) error {
	named := map[string]bool{}
	for _, name := range edges {
		named[name] = true
	}
	var alone []string // nodes that no edge names
	for name := range nodes.Groups {
		if !named[name] {
			alone = append(alone, name)
		}
	}
	for i := 0; i < len(edges); i += 2 {
		var nodesOf [2]*Node
		for j, name := range edges[i : i+2] {
			if nodes.Groups[name] == nil && len(alone) == 1 {
				r.graph.note("an edge names %s%s, which is not there; %s%s, which has no edge, is taken to be meant", prefix, name, prefix, alone[0])
				name = alone[0]
			}
			n, err := r.end(prefix+name, j == 1)
			if err != nil {
				return err
			}
			nodesOf[j] = n
		}
		connect(nodesOf[0], nodesOf[1])
	}
	return nil
}

// end returns the node at the beginning or the end of an edge: of a graph, its output
// or input.
func (r *reader) end(name string, reads bool) (*Node, error) {
	if n := r.nodes[name]; n != nil {
		return n, nil
	}
	g, ok := r.graphs[name+"."]
	if !ok {
		return nil, fmt.Errorf("an edge names %q, which is no node", name)
	}
	kind, list := outputKind, g.outputs
	if reads {
		kind, list = inputKind, g.inputs
	}
	if len(list) != 1 {
		return nil, fmt.Errorf("the graph %s has %d nodes of type %s; an edge needs one", name, len(list), kind)
	}
	return list[0], nil
}

// note keeps what is to be told, once.
func (g *Graph) note(format string, args ...any) {
	if note := fmt.Sprintf(format, args...); !slices.Contains(g.Notes, note) {
		g.Notes = append(g.Notes, note)
	}
}

// connect adds an edge; a second one between the same nodes is the same.
func connect(from, to *Node) {
	insert := func(list []*Node, n *Node) []*Node {
		at, there := slices.BinarySearchFunc(list, n, func(a, b *Node) int { return strings.Compare(a.Name, b.Name) })
		if there {
			return list
		}
		return slices.Insert(list, at, n)
	}
	from.to, to.from = insert(from.to, to), insert(to.from, from)
}

// bypass takes a node out that passes on what it reads.
func (g *Graph) bypass(n *Node) error {
	if slices.Contains(n.from, n) {
		return fmt.Errorf("%v leads back to itself", n)
	}
	if len(n.from)*len(n.to) > maxEdges {
		return fmt.Errorf("%v has %d edges in and %d out; at most %d pairs are read", n, len(n.from), len(n.to), maxEdges)
	}
	for _, p := range n.from {
		for _, s := range n.to {
			connect(p, s)
		}
	}
	without := func(list []*Node) []*Node {
		return slices.DeleteFunc(list, func(x *Node) bool { return x == n })
	}
	for _, p := range n.from {
		p.to = without(p.to)
	}
	for _, s := range n.to {
		s.from = without(s.from)
	}
	g.Nodes = without(g.Nodes)
	return nil
}

// only returns the only node of a kind.
func (g *Graph) only(kind string) (*Node, error) {
	var found []string
	var node *Node
	for _, n := range g.Nodes {
		if n.Kind == kind {
			node = n
			found = append(found, n.Name)
		}
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("has %d nodes of type %s (%s); one is wanted", len(found), kind, strings.Join(found, ", "))
	}
	return node, nil
}
