package network

import "github.com/accelsim-dev/accelsim/internal/config"

// forms are what values of a workload file may be, by the tags of its structs.
func forms() map[string]*config.Schema {
	count := config.Whole(1, maxNumber)
	density := config.Number(0, 1)
	pair := func(least float64) *config.Schema {
		one := config.Whole(least, maxNumber)
		two := config.List(one)
		two.Fewest, two.Longest = 2, 2
		return one.Or(two)
	}
	name := config.Text()
	f := map[string]*config.Schema{
		"parameter": config.AnyNumber().Or(config.Word("array")),
		"count":     count, "flag": config.Flag(), "name": name, "pair": pair(1), "padding": pair(0),
		"from": config.Text("input", "self"), "delay": config.Whole(0, 1), "norm": config.Word("batch"),
		"density": density, "densities": density.Or(config.List(density)), "fraction": density,
		"dataset": config.Word(Datasets()...), "encoding": config.Word(string(Event), string(Direct)),
		"loss": config.Word(losses...), "optimizer": config.Word(Optimizers()...), "classifier": config.Word(classifiers...),
		"readout": config.Word(readouts()...), "surrogate": config.Word(Surrogates()...), "poolkind": config.Word(PoolKinds()...),
		"update": config.Word(updates...), "feedback": config.Word(feedbacks...), "trace": density.Or(config.Word("leak", "none")),
		"extent": count.Or(config.Word("all")), "year": config.Whole(0, maxNumber),
		"neuron": config.Reference("neuron"), "rule": config.Reference("rule"),
	}
	f["conv"] = config.Describe[convFile](f).Needs("kernel")
	f["fc"] = config.Describe[fcFile](f)
	f["pool"] = config.Describe[poolFile](f).Needs("kind", "window")
	f["inputs"] = config.List(config.Describe[inputFile](f))
	f["layers"] = config.Text("16C3-16AP2-10FC").Or(config.List(config.Describe[entryFile](f)))
	f["activity"] = density.Or(config.Describe[activityKeys](f))
	return f
}

// Schema returns the schema of workload files.
func Schema() *config.Schema {
	f := forms()
	s := config.Describe[file](f).Needs("input", "layers", "timesteps")
	s.Definitions = config.Properties{{Name: "neuron", Schema: config.Describe[neuronFile](f)}, {Name: "rule", Schema: config.Describe[ruleFile](f)}}
	return s
}

// RuleSchema returns the schema of rule files.
func RuleSchema() *config.Schema { return config.Describe[namedRuleFile](forms()) }
