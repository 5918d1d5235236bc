package figures

import (
	"image/color"
	"strings"

	"github.com/accelsim-dev/accelsim/analytic"
	"github.com/accelsim-dev/accelsim/network"
)

// ruleNets are the networks that rules are compared on: a chain with large fully
// connected layers, convolutions with batch norm, residual blocks, recurrence.
var ruleNets = []struct {
	net   string
	style Style
}{
	{"alexnet", Style{Color: blue, Mark: disc}},
	{"vgg11", Style{Color: orange, Mark: square}},
	{"resnet18", Style{Color: green, Mark: diamond}},
	{"shd-rnn", Style{Color: color.NRGBA{0xcc, 0x79, 0xa7, 0xff}, Mark: disc}}, // Okabe and Ito's reddish purple
}

// byRule is a network's point under a named rule, with the largest divisor of its T
// up to the rule's k.
func byRule(net, name string) (Point, error) {
	w, err := network.Open(net)
	if err != nil {
		return Point{}, err
	}
	rule, err := network.OpenRule(name)
	if err != nil {
		return Point{}, err
	}
	k := min(rule.K.Of(w.Timesteps), w.Timesteps)
	for w.Timesteps%k != 0 {
		k--
	}
	return Point{Net: net, Rule: name, K: k, N: rule.N.Of(w.Net.N())}, nil
}

// eachRule calls visit with every built-in rule's point of a network, BPTT's first.
func eachRule(net string, visit func(name string, p Point)) {
	names := []string{"bptt"}
	for _, name := range network.Rules() {
		if name != names[0] {
			names = append(names, name)
		}
	}
	for _, name := range names {
		if p, err := byRule(net, name); err == nil { // built in: a test opens all
			visit(name, p)
		}
	}
}

func needRules(_ *Album, need need) {
	for _, n := range ruleNets {
		eachRule(n.net, func(_ string, p Point) { need(p, true) })
	}
}

// rules draws what each named training rule saves against BPTT on the same hardware.
func (a *Album) rules() *Figure {
	f := &Figure{
		Name:  "extra-rules",
		Title: "Training rules against BPTT (not in the paper)",
		Caption: notInPaper + " " + a.machine() + " What a rule saves of BPTT's figures for the same network, hardware and batch; traces are DRAM words that stand" +
			" for inputs in gradients. k is the largest divisor of T up to the rule's.",
		Header: []string{
			"net", "rule", "k", "n", "words", "macs", "seconds", "joules", "footprint_bytes", "trace_bytes",
			"saved_words_percent", "saved_macs_percent", "saved_seconds_percent", "saved_joules_percent", "saved_footprint_percent",
		},
	}
	panels := []struct {
		title string
		saved func(run, bptt Machine) float64
	}{
		{"all words across the DRAM port", func(r, b Machine) float64 { return analytic.Reduction(r.Words, b.Words) }},
		{"MACs", func(r, b Machine) float64 { return analytic.Reduction(r.MACs, b.MACs) }},
		{"time", func(r, b Machine) float64 { return 100 * (1 - r.Seconds/b.Seconds) }},
		{"energy", func(r, b Machine) float64 { return 100 * (1 - float64(r.Energy/b.Energy)) }},
		{"DRAM footprint", func(r, b Machine) float64 { return analytic.Reduction(r.Footprint, b.Footprint) }},
	}
	charts := make([]Chart, len(panels))
	for i, panel := range panels {
		charts[i] = Chart{Title: letter(i) + "saved: " + panel.title, Y: "percent"}
	}
	for slot, n := range ruleNets {
		f.Legend = append(f.Legend, Entry{Name: n.net, Style: n.style})
		var bptt Machine
		group := 0
		eachRule(n.net, func(name string, p Point) {
			m := a.Lab.at(p).Real
			row := []string{
				n.net, name, integer(p.K), integer(p.N), integer(m.Words), integer(m.MACs), fixed(m.Seconds, 6), fixed(m.Energy.Joules(), 6),
				integer(m.Footprint), integer(m.Traces),
			}
			if name == "bptt" {
				bptt = m
			}
			for i, panel := range panels {
				saved := panel.saved(m, bptt)
				row = append(row, fixed(saved, 4))
				if name == "bptt" {
					continue
				}
				if slot == 0 {
					charts[i].Groups = append(charts[i].Groups, strings.ReplaceAll(name, "-", "-\n"))
				}
				charts[i].Bars = append(charts[i].Bars, Bar{Style: n.style, Group: group, Slot: slot, Slots: len(ruleNets), Value: saved})
			}
			if name != "bptt" {
				group++
			}
			f.Rows = append(f.Rows, row)
		})
	}
	f.Charts = charts
	return f
}
