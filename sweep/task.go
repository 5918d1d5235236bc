package sweep

import (
	"fmt"
	"strconv"

	"github.com/accelsim-dev/accelsim/internal/accuracy"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/units"
)

// task is a workload, or why there is none.
type task struct {
	workload *network.Workload
	k, n     network.Extent // by its rule
	subject  *Subject
	content  Key
	err      error
}

// taskAxes are what a task depends on.
var taskAxes = [...]string{axisNet, axisDataset, axisTimesteps, axisBatch, axisRule, axisClassifier, axisActivity}

type taskKey [len(taskAxes)]string

// task opens the workload of a combination, once.
func (r *resolver) task(chosen map[string]string) *task {
	var key taskKey
	for i, name := range taskAxes {
		key[i] = chosen[name]
	}
	t := r.tasks[key]
	if t != nil {
		return t
	}
	t = &task{}
	r.tasks[key] = t
	w, file, err := r.open(key, t)
	if err != nil {
		t.err = err
		return t
	}
	w.Net = r.network(w.Net)
	t.workload, t.content = w, content(w)
	t.subject = r.subject(key[0], file, w)
	return t
}

// network returns the same network for the same layers.
func (r *resolver) network(n *network.Network) *network.Network {
	key := content(n)
	if known := r.networks[key]; known != nil {
		return known
	}
	r.networks[key] = n
	return n
}

// subject returns the network that a workload is of, known by its file and by
// what the dataset and the rule made of it.
func (r *resolver) subject(given string, file Key, w *network.Workload) *Subject {
	learning := accuracy.Learning{
		Rule: w.Training.Rule.String(), Readout: string(w.Training.Readout), ConstantReset: w.Neuron.ConstantReset,
	}
	key := content([]any{given, file, w.Net, learning})
	s := r.subjects[key]
	if s == nil {
		s = &Subject{
			Given: given, Name: w.Name, Layers: w.Net.Text, Ends: w.Net.UnitEnds(), Learning: learning, Content: file,
			Note: w.Net.Misreadable(),
		}
		r.subjects[key] = s
		r.plan.Subjects = append(r.plan.Subjects, s)
	}
	return s
}

// rule reads a rule.
func (r *resolver) rule(name string) (*network.NamedRule, error) {
	text, filename, err := r.rules.read(name, network.RuleSource)
	if err != nil {
		return nil, err
	}
	return network.ReadRule(text, filename)
}

// open reads a workload and makes of it what the axes say; file is what its own
// file says. The task gets the rule's k and n.
func (r *resolver) open(key taskKey, t *task) (w *network.Workload, file Key, err error) {
	net, dataset, timesteps, batch, rule, classifier, activity := key[0], key[1], key[2], key[3], key[4], key[5], key[6]
	text, filename, err := r.nets.read(net, network.Source)
	if err != nil {
		return nil, file, err
	}
	if w, err = network.Read(text, filename); err != nil {
		return nil, file, err
	}
	file = content(w)
	if dataset != "" {
		if err := w.SetDataset(dataset); err != nil {
			return nil, file, err
		}
	}
	for _, v := range []struct {
		name, text string
		to         *int
	}{{axisTimesteps, timesteps, &w.Timesteps}, {axisBatch, batch, &w.Batch}} {
		if v.text == "" {
			continue
		}
		if *v.to, err = strconv.Atoi(v.text); err != nil {
			return nil, file, fmt.Errorf("%s %q is not a whole number", v.name, v.text)
		}
	}
	if rule != "" {
		named, err := r.rule(rule)
		if err != nil {
			return nil, file, err
		}
		t.k, t.n = named.K, named.N
		if err := named.Apply(w); err != nil {
			return nil, file, err
		}
	}
	if classifier != "" {
		w.Training.Classifier = classifier
	}
	if activity != "" {
		if err := r.setActivity(w, activity); err != nil {
			return nil, file, err
		}
	}
	if err := w.Check(); err != nil {
		return nil, file, fmt.Errorf("%s: %w", w.Name, err)
	}
	return w, file, nil
}

// setActivity gives a workload a density, or those of a file.
func (r *resolver) setActivity(w *network.Workload, activity string) error {
	if _, err := units.ParseDensity(activity); err == nil {
		return w.SetActivity(activity)
	}
	text, filename, err := r.activities.read(activity, network.ActivitySource)
	if err != nil {
		return err
	}
	return w.ReadActivity(text, filename)
}
