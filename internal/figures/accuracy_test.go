package figures

import (
	"fmt"
	"strings"
	"testing"
)

func TestAccuracyFilesThatAreWrong(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "a.csv: is empty"},
		{"unknown column", "dataset,k,n,acc\n", `a.csv:1: column "acc" is unknown`},
		{"column twice", "dataset,k,k,n,loss\n", `a.csv:1: column "k" is there twice`},
		{"no k", "dataset,n,loss\n", `a.csv:1: there is no column "k"`},
		{"no value column", "dataset,k,n\n", "a.csv:1: there is neither a column accuracy nor loss"},
		{"short row", "dataset,k,n,loss\nemnist,1,2\n", "a.csv:2: there are 3 fields; the header has 4"},
		{"unknown dataset", "dataset,k,n,loss\nemnits,1,2,0\n", `a.csv:2: dataset "emnits"`},
		{"k not in the grid", "dataset,k,n,loss\nemnist,3,2,0\n", `a.csv:2: k is "3"; the paper's grid of emnist has 20, 10, 5, 2, 1`},
		{"n no number", "dataset,k,n,loss\nemnist,1,x,0\n", `a.csv:2: n is "x"`},
		{"after a comment", "# c\ndataset,k,n,loss\n\nemnist,1,2,1e999\n", `a.csv:4: loss "1e999"`},
		{"bounds upside down", "dataset,k,n,loss\nemnist,1,2,1..0\n", `a.csv:2: loss "1..0"`},
		{"NaN", "dataset,k,n,loss\nemnist,1,2,NaN\n", `loss "NaN"`},
		{"twice", "dataset,k,n,loss\nemnist,1,2,0\nemnist,1,2,0\n", "a.csv:3: emnist at (1, 2) is there twice"},
		{"both", "dataset,k,n,loss,accuracy\nemnist,1,2,0,1\n", "a.csv:2: both accuracy and loss"},
		{"none", "dataset,k,n,loss,accuracy\nemnist,1,2,,\n", "a.csv:2: there is no accuracy"},
		{"over 100", "dataset,k,n,accuracy\nemnist,1,2,100.5\n", `a.csv:2: accuracy "100.5"`},
		{"no baseline", "dataset,k,n,accuracy\nemnist,1,2,90\n", "a.csv:2: the accuracy of emnist at (1, 2) needs BPTT's beside it, above 0: add that of k = 20, n = 4"},
		{"random", "dataset,k,n,loss,classifier\nemnist,1,2,0,random\n", `a.csv:2: classifier "random"`},
		{"another net", "net,dataset,k,n,loss\nlenet2,emnist,1,2,0\n", `a.csv:2: net "lenet2"; the figures show lenet1 on emnist`},
		{"JSON of something else", `{"schema": "accelsim.run/1"}`, `a.csv: schema "accelsim.run/1"`},
		{"JSON cut off", `{"schema": `, "a.csv: is no JSON"},
		{"training of another T", strings.Replace(trainedText(5, "[[1],[2],[3],[4]]", 0.5), "20", "10", 1), "lenet1 on emnist with T = 10 is none of the figures' tasks"},
		{"training without test", strings.Replace(trainedText(5, "[[1],[2],[3],[4]]", 0.5), "test", "train", 1), "a.csv: has no test accuracy"},
		{
			"training by another rule",
			strings.Replace(trainedText(5, "[[1],[2],[3],[4]]", 0.5), `"classifier"`, `"rule": "update: iteration", "readout": "current", "neuron": {"ConstantReset": true}, "classifier"`, 1),
			"a.csv: a training with update: iteration, readout: current, reset_gradient: false; Figures 14 and 15",
		},
		{"training alone", trainedText(5, "[[1],[2],[3],[4]]", 0.5), "a.csv: the accuracy of emnist at (5, 1) needs BPTT's beside it"},
		{
			"training of another net of that name", strings.Replace(trainedText(5, "[[1,2],[3,4]]", 0.5), `"dataset"`, `"layers": "9FC-47FC", "dataset"`, 1),
			"a.csv: layers 9FC-47FC are not those of lenet1 on emnist",
		},
		{"blocks of three", trainedText(5, "[[1,2,3],[4]]", 0.5), "n is \"3\"; the paper's grid of emnist has 4, 2, 1"},
		{"accuracy above 1", trainedText(5, "[[1,2],[3,4]]", 50), "test accuracy 50 is not a fraction"},
		{"quotes", "dataset,k,n,loss\nemnist,1,2,\"0\n", "a.csv:2: extraneous"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ReadAccuracies([]byte(c.text), "a.csv")
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
		})
	}
}

// trainedText is a result of `accelsim train`.
func trainedText(k int, blocks string, accuracy float64) string {
	return fmt.Sprintf(`{"schema": "accelsim.train/1", "settings": {"network": "lenet1", "dataset": "emnist", "timesteps": 20,
		"k": %d, "blocks": %s, "classifier": "trainable"}, "epochs": [{"epoch": 1, "test_accuracy": %v}]}`, k, blocks, accuracy)
}

// TestTrainingResults: those of several trainings make losses.
func TestTrainingResults(t *testing.T) {
	var files AccuracyFiles
	for name, text := range map[string]string{
		"bptt.json": trainedText(20, "[[1,2,3,4]]", 0.8), "local.json": trainedText(5, "[[1,2],[3,4]]", 0.6),
		"more.csv": "dataset,k,n,accuracy\nemnist,1,1,40\n",
	} {
		if err := files.Add([]byte(text), name); err != nil {
			t.Fatal(err)
		}
	}
	a, err := files.Accuracies()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		k, n int
		want string
	}{{5, 2, "25.00"}, {1, 1, "50.00"}, {20, 4, "0.00"}} {
		if loss, ok := a.Of(Tasks[0], c.k, c.n); !ok || percent(loss) != c.want {
			t.Errorf("(%d, %d): %v %v, want %s", c.k, c.n, loss, ok, c.want)
		}
	}
	if err := files.Add([]byte(trainedText(5, "[[1,2],[3,4]]", 0.6)), "again.json"); err == nil {
		t.Error("the same design was taken twice")
	}
}

func TestPaperAccuracies(t *testing.T) {
	a := PaperAccuracies()
	loss, ok := a.Of(Tasks[3], 10, 1)
	if !ok || loss.Low != -7.26 || !loss.Exact() {
		t.Errorf("CIFAR10-DVS at (10, 1): %v %v", loss, ok)
	}
	if loss, _ := a.Of(Tasks[0], 1, 2); loss.Exact() || loss.High != 1 {
		t.Errorf("EMNIST at (1, 2): %v; the paper gives a bound only", loss)
	}
	if _, ok := a.Of(Tasks[0], 2, 1); ok {
		t.Error("EMNIST at (2, 1) is known, but the paper prints no number")
	}
	if loss, ok := a.Of(Tasks[0], 20, 4); !ok || loss.Low != 0 {
		t.Error("BPTT loses nothing against itself")
	}
}

func FuzzReadAccuracies(f *testing.F) {
	f.Add(paperCSV)
	f.Add("dataset,k,n,accuracy,source\ncifar10,10,8,85.5,\ncifar10,1,1,85,x\n")
	f.Add("\"dataset\",k,n,loss\nemnist,1,2,\"-1..2\"\n")
	f.Add(trainedText(20, "[[1,2,3,4]]", 0.8))
	f.Fuzz(func(t *testing.T, text string) {
		a, err := ReadAccuracies([]byte(text), "fuzz.csv")
		if err != nil {
			if a != nil || !strings.HasPrefix(err.Error(), "fuzz.csv:") {
				t.Errorf("error without the file's name: %v", err)
			}
			return
		}
		for d, loss := range a.losses {
			if task(d.dataset) == nil || loss.Low > loss.High || loss.High > 100 {
				t.Errorf("%+v: %+v", d, loss)
			}
		}
	})
}
