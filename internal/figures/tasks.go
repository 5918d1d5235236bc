package figures

import (
	"strconv"

	"github.com/accelsim-dev/accelsim/network"
)

// Task is one of the four training tasks whose cost the paper plots, with the
// values of k and n that section 3.4 names.
type Task struct {
	Net, Dataset string // the dataset's name stands for the task in files
	Title        string
	K, N         []int // as the paper lists them: from T and N downwards
	// MemoryBatch is the batch of Figures 6 and 7; everything else is at 128.
	MemoryBatch int
	// BestK and BestN are the best design by FoM as section 5.2 prints it.
	BestK, BestN int
}

// Tasks are the paper's, in its order.
var Tasks = []*Task{
	{
		Net: "lenet1", Dataset: "emnist", Title: "LeNet-1 on EMNIST",
		K: []int{20, 10, 5, 2, 1}, N: []int{4, 2, 1}, MemoryBatch: 1024, BestK: 1, BestN: 2,
	},
	{
		Net: "lenet2", Dataset: "dvsgesture", Title: "LeNet-2 on DvsGesture",
		K: []int{60, 30, 20, 10, 5, 1}, N: []int{4, 2, 1}, MemoryBatch: 32, BestK: 10, BestN: 1,
	},
	{
		Net: "alexnet", Dataset: "cifar10", Title: "AlexNet on CIFAR10",
		K: []int{10, 5, 2, 1}, N: []int{8, 4, 2, 1}, MemoryBatch: 128, BestK: 1, BestN: 1,
	},
	{
		Net: "alexnet", Dataset: "cifar10-dvs", Title: "AlexNet on CIFAR10-DVS",
		K: []int{100, 50, 20, 10, 1}, N: []int{8, 4, 2, 1}, MemoryBatch: 128, BestK: 10, BestN: 1,
	},
}

// task returns the task of a dataset, nil if the paper has none.
func task(dataset string) *Task {
	for _, t := range Tasks {
		if t.Dataset == dataset {
			return t
		}
	}
	return nil
}

// datasets are the names of the tasks.
func datasets() []string {
	var names []string
	for _, t := range Tasks {
		names = append(names, t.Dataset)
	}
	return names
}

// T and Layers are the (k, n) of standard BPTT.
func (t *Task) T() int { return t.K[0] }

// Layers is N of the network.
func (t *Task) Layers() int { return t.N[0] }

// layers are the network's in Table 2 notation.
func (t *Task) layers() (string, error) {
	w, err := network.Open(t.Net)
	if err == nil {
		err = w.SetDataset(t.Dataset)
	}
	if err != nil {
		return "", err
	}
	return w.Net.Text, nil
}

// Method names a local training method as the paper does: BP, LBP1, LBP2 ..
func (t *Task) Method(n int) string {
	if n == t.Layers() {
		return "BP"
	}
	return "LBP" + strconv.Itoa(n)
}

// claimed names the dataset as published numbers do: not at all where it is the
// network's own.
func (t *Task) claimed() string {
	if t.Dataset == "cifar10" {
		return t.Dataset
	}
	return ""
}

// point is the task at (k, n) with trainable classifiers.
func (t *Task) point(k, n int) Point {
	return Point{Net: t.Net, Dataset: t.Dataset, Classifier: network.Trainable, K: k, N: n}
}

// grid calls visit for every n and k, n outermost.
func (t *Task) grid(visit func(k, n int)) {
	for _, n := range t.N {
		for _, k := range t.K {
			visit(k, n)
		}
	}
}
