package sweep

import (
	"maps"
	"slices"
	"strconv"

	"github.com/accelsim-dev/accelsim/internal/accuracy"
	"github.com/accelsim-dev/accelsim/network"
)

// ruleBPTT is the built-in rule that every other one is compared with.
const ruleBPTT = "bptt"

// bptts returns the names of the rules that are standard BPTT at (T, N): the
// built-in one, and those of the plan that differ from it in k and n only.
func (p *Plan) bptts() []string {
	place := slices.Index(p.Inputs, axisRule)
	names := []string{ruleBPTT}
	if place < 0 {
		return names
	}
	seen := map[string]bool{ruleBPTT: true}
	for _, point := range p.Points {
		name := point.Value(place)
		if point.subject != nil && point.subject.Learning.Rule == "" && !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return names
}

// findBPTT returns the accuracy of what a design is compared with, BPTT. It may
// be given under the name of any rule that is BPTT at (T, N), the design's own
// first. A rule may bring random classifiers, or take errors through resets away;
// where there is no accuracy of BPTT that has these, too, one of BPTT that has
// not will do.
func (all known) findBPTT(d wanted) (float64, bool, error) {
	rules := all.bptts
	if own := d.inputs[axisRule]; slices.Contains(rules, own) {
		rules = slices.Concat([]string{own}, rules)
	}
	classifiers, learnings := []string{d.inputs[axisClassifier]}, []accuracy.Learning{d.learning}
	learnings[0].Rule = ""
	if d.inputs[axisRule] != "" {
		classifiers = append(classifiers, network.Trainable)
		learnings = append(learnings, accuracy.Learning{})
	}
	bptt := wanted{subject: d.subject, inputs: maps.Clone(d.inputs)}
	bptt.inputs[axisK], bptt.inputs[axisN] = d.inputs[axisTimesteps], strconv.Itoa(len(d.subject.Ends))
	for _, bptt.inputs[axisClassifier] = range classifiers {
		for _, bptt.learning = range learnings {
			for _, bptt.inputs[axisRule] = range rules {
				if percent, ok, err := all.find(bptt); ok || err != nil {
					return percent, ok, err
				}
			}
		}
	}
	return 0, false, nil
}
