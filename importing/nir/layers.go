package nir

import (
	"fmt"
	"slices"
	"strings"
)

// layer is a neuron node with what flows into it, and the pooling of what it sends.
// The classifier may have no neuron: its sums are read out.
type layer struct {
	neuron *Node
	pool   *Node
	inputs []projection
	index  int // 1..N; N+1 is the classifier

	parameters []parameter // of its neurons, as the workload has them
}

// projection is what a layer reads: through a node with weights, or as it is.
type projection struct {
	weight *Node
	from   *layer // nil is the network's input
	delay  bool   // of a step
}

// layers are a graph's, in an order in which each reads those before it.
type layers struct {
	input      *Node
	list       []*layer
	classifier *layer
	of         map[*Node]*layer // by neuron
	step       float64          // of time; a delay is one
	notes      []string
}

// findLayers makes layers of a graph: one for each neuron node.
func (g *Graph) findLayers(step float64) (*layers, error) {
	ls := &layers{of: map[*Node]*layer{}, step: step}
	var output *Node
	var err error
	if ls.input, err = g.only(inputKind); err != nil {
		return nil, err
	}
	if output, err = g.only(outputKind); err != nil {
		return nil, err
	}
	for _, n := range g.Nodes {
		switch {
		case n.neuron():
			ls.of[n] = &layer{neuron: n}
		case len(n.to) == 0 && n != output:
			return nil, fmt.Errorf("%v leads nowhere", n)
		case len(n.from) == 0 && n != ls.input:
			return nil, fmt.Errorf("nothing leads to %v", n)
		}
	}
	if ls.classifier, err = ls.findClassifier(output); err != nil {
		return nil, err
	}
	for _, n := range g.Nodes {
		if l := ls.of[n]; l != nil {
			if err := ls.connect(l); err != nil {
				return nil, err
			}
		}
	}
	if l := ls.classifier; !l.neuron.neuron() {
		if err := ls.connect(l); err != nil {
			return nil, err
		}
	}
	if err := ls.order(g); err != nil {
		return nil, err
	}
	return ls, ls.checkClassifier()
}

// findClassifier returns the layer that the output reads.
func (ls *layers) findClassifier(output *Node) (*layer, error) {
	if len(output.from) != 1 {
		return nil, fmt.Errorf("%v reads %d nodes; one is wanted, the classifier", output, len(output.from))
	}
	last := output.from[0]
	if len(last.to) > 1 && !(len(last.to) == 2 && slices.Contains(last.from, last)) {
		return nil, fmt.Errorf("%v is read by more than the output; nothing may stand behind the classifier", last)
	}
	switch {
	case last.neuron():
		return ls.of[last], nil
	case last.weighted(), last.is(leakyKind):
		return &layer{neuron: last}, nil // its sums or potentials are read out
	}
	return nil, fmt.Errorf("the output reads %v; neurons, or what is added up for them, are wanted", last)
}

// connect finds what flows into a layer.
func (ls *layers) connect(l *layer) error {
	readers := []*Node{l.neuron}
	if !l.neuron.weighted() {
		readers = l.neuron.from
	}
	for _, n := range readers {
		switch {
		case n.weighted():
			if len(n.from) > 1 && len(ls.notes) < 8 {
				ls.notes = append(ls.notes, fmt.Sprintf("%v reads %d nodes: its weights are there once for each", n, len(n.from)))
			}
			for _, source := range n.from {
				if err := ls.project(l, n, source); err != nil {
					return err
				}
			}
		default:
			if err := ls.project(l, nil, n); err != nil {
				return err
			}
		}
	}
	if len(l.inputs) == 0 {
		return fmt.Errorf("nothing leads to %v", l.neuron)
	}
	return nil
}

// project adds a projection of what a node sends.
func (ls *layers) project(l *layer, weight, source *Node) error {
	p := projection{weight: weight}
	if source.is(delayKind) {
		if err := ls.isStep(source); err != nil {
			return err
		}
		p.delay, source = true, source.from[0]
	}
	pool := source
	if source.pool() {
		if len(source.from) != 1 || !source.from[0].neuron() {
			return fmt.Errorf("%v reads %s; pooling of one node's spikes is known", source, names(source.from))
		}
		source = source.from[0]
	}
	switch {
	case source == ls.input:
	case source.neuron():
		p.from = ls.of[source]
	case weight != nil && source.weighted():
		return fmt.Errorf("%v reads %v, without neurons between them; multiply them into one", weight, source)
	default:
		reader := l.neuron
		if weight != nil {
			reader = weight
		}
		return fmt.Errorf("%v reads %v; neurons, their pooling and the input can be read", reader, source)
	}
	if p.from == l {
		if pool != source {
			return fmt.Errorf("%v reads its own spikes after %v; only those before can be read", l.neuron, pool)
		}
		if p.delay {
			return fmt.Errorf("%v reads its own spikes through a Delay; a loop has a delay of one step without one", l.neuron)
		}
		p.delay = true
	} else if p.from != nil {
		if err := p.from.poolBy(pool); err != nil {
			return err
		}
	}
	l.inputs = append(l.inputs, p)
	return nil
}

// poolBy tells a layer who pools what it sends; the neuron node itself if nobody.
func (l *layer) poolBy(n *Node) error {
	if l.pool == nil {
		l.pool = n
	}
	if l.pool != n {
		return fmt.Errorf("%v is read by way of %v and of %v; all that read it must read the same", l.neuron, l.pool, n)
	}
	return nil
}

// pooled tells whether what the layer sends is pooled.
func (l *layer) pooled() bool { return l.pool != nil && l.pool.pool() }

// isStep refuses a delay of anything but a step.
func (ls *layers) isStep(n *Node) error {
	if len(n.from) != 1 {
		return fmt.Errorf("%v reads %d nodes; one is wanted", n, len(n.from))
	}
	delays, err := n.needed("delay")
	if err != nil {
		return err
	}
	for _, d := range delays {
		if d < 0.999*ls.step || d > 1.001*ls.step {
			return fmt.Errorf("%v is of %v; a step, %v, is the only delay that is known", n, d, ls.step)
		}
	}
	return nil
}

// names lists nodes, at most so many that an error stays a line.
func names(nodes []*Node) string {
	const most = 8
	var list []string
	for _, n := range nodes[:min(most, len(nodes))] {
		list = append(list, n.String())
	}
	if len(nodes) > most {
		list = append(list, fmt.Sprintf("%d more", len(nodes)-most))
	}
	if len(list) == 0 {
		return "nothing"
	}
	return strings.Join(list, ", ")
}

// order sorts the layers so that each reads those before it, by name where that
// leaves a choice; the classifier comes last.
func (ls *layers) order(g *Graph) error {
	waiting := map[*layer]int{} // for so many projections
	readers := map[*layer][]*layer{}
	var ready, all []*layer
	for _, n := range g.Nodes {
		if l := ls.of[n]; l != nil && l != ls.classifier {
			all = append(all, l)
		}
	}
	for _, l := range append(slices.Clone(all), ls.classifier) {
		for _, p := range l.inputs {
			if p.from != nil && p.from != l {
				waiting[l]++
				readers[p.from] = append(readers[p.from], l)
			}
		}
		if waiting[l] == 0 && l != ls.classifier {
			ready = append(ready, l)
		}
	}
	for len(ready) > 0 {
		l := slices.MinFunc(ready, func(a, b *layer) int { return strings.Compare(a.neuron.Name, b.neuron.Name) })
		ready = slices.DeleteFunc(ready, func(x *layer) bool { return x == l })
		ls.list = append(ls.list, l)
		l.index = len(ls.list)
		for _, r := range readers[l] {
			if waiting[r]--; waiting[r] == 0 && r != ls.classifier {
				ready = append(ready, r)
			}
		}
	}
	if len(ls.list) < len(all) {
		var loop []*Node
		for _, l := range all {
			if l.index == 0 {
				loop = append(loop, l.neuron)
			}
		}
		return fmt.Errorf("has a loop through %s; a layer can read layers before it and its own spikes, no later ones", names(loop))
	}
	ls.classifier.index = len(ls.list) + 1
	for _, l := range ls.list {
		slices.SortStableFunc(l.inputs, func(a, b projection) int { return l.place(a) - l.place(b) })
	}
	return nil
}

// place orders projections: a layer's own spikes come last.
func (l *layer) place(p projection) int {
	switch p.from {
	case nil:
		return 0
	case l:
		return l.index + 1
	}
	return p.from.index
}

// checkClassifier refuses a last layer that is no classifier, and a network of nothing
// else.
func (ls *layers) checkClassifier() error {
	c := ls.classifier
	last := fmt.Sprintf("%v is the last layer: the classifier, which reads the layer before through one %s or %s", c.neuron, linearKind, affineKind)
	if len(c.inputs) != 1 || c.inputs[0].weight == nil || !c.inputs[0].weight.is(linearKind, affineKind) || c.inputs[0].delay {
		return fmt.Errorf("%s and nothing else", last)
	}
	if len(ls.list) == 0 {
		return fmt.Errorf("has one layer with weights, %v, which is the classifier: N = 0 layers are left to train; at least one is needed", c.inputs[0].weight)
	}
	if n := len(ls.list); c.inputs[0].from != ls.list[n-1] {
		return fmt.Errorf("%s; it does not read %v", last, ls.list[n-1].neuron)
	}
	return nil
}
