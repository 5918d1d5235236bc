package accuracy

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/accelsim-dev/accelsim/internal/input"
)

var columns = Columns{
	Inputs: []string{"net", "dataset", "timesteps", "batch", "classifier", "pe.rows", "k", "n"}, Losses: true, Example: "net,k,n,accuracy",
}

// read returns what a text says, a line for a design: its inputs and percent.
func read(t *testing.T, text, name string) string {
	t.Helper()
	plain, err := input.TextFrom(strings.NewReader(text), name) // as files are read
	if err != nil {
		t.Fatal(err)
	}
	rows, err := Read(plain, name, columns)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, r := range rows {
		line := r.At + ":"
		for _, c := range columns.Inputs {
			if v, ok := r.Inputs[c]; ok {
				line += " " + c + "=" + v
			}
		}
		if r.Loss != nil {
			line += fmt.Sprintf(" loss %v..%v", r.Loss.Low, r.Loss.High)
		} else {
			line += fmt.Sprint(" ", r.Percent)
		}
		if r.Training != nil {
			line += fmt.Sprint(" ", *r.Training)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func file(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A file says in which unit its accuracies are, by their size or by their sign;
// 0.77 is 77 %, to the bit.
func TestAccuraciesComeOutInPercent(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"percent", file(t, "accuracy-percent.csv"), "f:2: net=lenet1 dataset=mnist timesteps=2 k=1 n=1 80"},
		{
			"training", file(t, "accuracy-fraction.json"),
			"f: dataset=mnist timesteps=2 classifier=trainable k=2 77 {lenet1 6C5p2-6AP2-16C5p0-16AP2-120C5p0-128FC-10FC [[1 2 3 4]] }",
		},
		{"fractions", "k,accuracy\n1,0.57\n2,1\n4,0", "f:2: k=1 57\nf:3: k=2 100\nf:4: k=4 0"},
		{"fractions with exponents", "k,accuracy\n1,5.7e-1\n2,1e-3", "f:2: k=1 57\nf:3: k=2 0.1"},
		{"percent of chance", "k,accuracy\n1,1.5\n2,85", "f:2: k=1 1.5\nf:3: k=2 85"},
		{"signs", "k,accuracy\n1,0.77%\n2,80 %\n4,0.5", "f:2: k=1 0.77\nf:3: k=2 80\nf:4: k=4 50"},
		{"list", `[{"k": 2, "accuracy": 0.57}, {"k": 1, "accuracy": 0.8}]`, "f: entry 1: k=2 57\nf: entry 2: k=1 80"},
		{"list of texts", `[{"K": "2", "Accuracy": "57%"}]`, "f: entry 1: k=2 57"},
		{"losses", "k,loss\n1,-7.26\n2,0..1", "f:2: k=1 loss -7.26..-7.26\nf:3: k=2 loss 0..1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := read(t, c.text, "f"); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// Which of 0.77 and 80 is meant otherwise cannot be known.
func TestFractionsAndPercentAreNotMixed(t *testing.T) {
	for _, text := range []string{
		"k,accuracy\n1,80\n2,0.77\n", "k,accuracy\n1,0.77\n2,80\n", "k,accuracy\n1,1\n2,80\n",
		`[{"k": 1, "accuracy": 80}, {"k": 2, "accuracy": 0.77}]`,
	} {
		_, err := Read([]byte(text), "f", columns)
		if err == nil || !strings.Contains(err.Error(), "is a fraction, or is it in percent as 80 in f:") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// What spreadsheets and pandas write is read as it was meant.
func TestTablesOfOtherPrograms(t *testing.T) {
	const want = "f:2: timesteps=20 k=2 n=4 90\nf:3: timesteps=20 k=1 n=1 88"
	for name, text := range map[string]string{
		"byte order mark":          "\ufefftimesteps,k,n,accuracy\n20,2,4,90\n20,1,1,88\n",
		"and quotes":               "\ufeff\"timesteps\",\"k\",\"n\",\"accuracy\"\n20,2,4,90\n20,1,1,88\n",
		"ends of lines":            "timesteps,k,n,accuracy\r\n20,2,4,90\r\n20,1,1,88\r\n",
		"floats":                   "timesteps,k,n,accuracy\n20.0,2.0,4.0,90.0\n2e1,1.0,1.0,88.0\n",
		"spaces":                   " Timesteps , K , N , accuracy \n 20 , 2 , 4 , 90 \n 20 , 1 , 1 , 88 \n",
		"columns that are empty":   "net,timesteps,k,n,accuracy\n,20,2,4,90\n,20,1,1,88\n",
		"columns in another order": "accuracy,n,k,timesteps\n90,4,2,20\n88,1,1,20\n",
	} {
		if got := read(t, text, "f"); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		}
	}
	if got := read(t, file(t, "accuracy-bom.csv"), "f"); got != "f:2: k=2 n=4 90\nf:3: k=1 n=1 88" {
		t.Error(got)
	}
	list := "\ufeff[{\"timesteps\": 20.0, \"k\": 2.0, \"n\": 4, \"accuracy\": 90, \"net\": null}, {\"timesteps\": 20, \"k\": 1, \"n\": 1, \"accuracy\": 88}]"
	if got := strings.NewReplacer("f: entry 1", "f:2", "f: entry 2", "f:3").Replace(read(t, list, "f")); got != want {
		t.Errorf("a list: got\n%s\nwant\n%s", got, want)
	}
}

func TestFilesThatAreWrong(t *testing.T) {
	training := file(t, "accuracy-fraction.json")
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "f: is empty; the first line names the columns, such as net,k,n,accuracy"},
		{"blank", " \n\n", "f: is empty"},
		{"comments", "# one\n", "f: has only comments"},
		{"a header alone", "k,accuracy\n", "f: there are no accuracies in it"},
		{
			"unknown column", file(t, "accuracy-unknown-column.csv"),
			`f:1: column "network" is unknown; there are net, dataset, timesteps, batch, classifier, pe.rows, k, n, accuracy, loss, source`,
		},
		{"misspelt column", "datset,k,accuracy\n", `column "datset" is unknown (did you mean "dataset"?); there are`},
		{"unknown column of a list", `[{"kk": 1, "accuracy": 1}]`, `f: entry 1: column "kk" is unknown`},
		{"an index", ",k,accuracy\n0,1,80\n", "f:1: a column has no name (an index of pandas?"},
		{"a column twice", "k,K,accuracy\n", `f:1: column "k" is there twice`},
		{"a key twice", `[{"k": 1, "k": 2, "accuracy": 1}]`, `f: entry 1: "k" is there twice`},
		{"no accuracy", "net,k\nlenet1,2\n", "f:1: there is neither a column accuracy nor loss; write for example net,k,n,accuracy"},
		{"no accuracy in a list", `[{"k": 1}]`, "f: entry 1: there is neither a column accuracy nor loss"},
		{"an accuracy left out", "k,accuracy\n1,80\n2,\n", "f:3: there is no accuracy"},
		{"both", "k,accuracy,loss\n1,80,0\n", "f:2: both accuracy and loss"},
		{"no number", "k,accuracy\n1,high\n", `f:2: accuracy "high" is not a number between 0 and 100`},
		{"not finite", "k,accuracy\n1,nan\n", `f:2: accuracy "nan"`},
		{"hexadecimal", "k,accuracy\n1,0x1p-1\n", `f:2: accuracy "0x1p-1"`},
		{"too large", "k,accuracy\n1,101\n", `f:2: accuracy "101"`},
		{"negative", "k,accuracy\n1,-0.5\n", `f:2: accuracy "-0.5"`},
		{"loss", "k,loss\n1,1..0\n", `f:2: loss "1..0"`},
		{"not whole", "k,accuracy\n2.5,80\n", `f:2: k is "2.5", not a whole number`},
		{"whole, but of what", "timesteps,accuracy\nten,80\n", `f:2: timesteps is "ten", not a whole number`},
		{"short row", "k,n,accuracy\n1,2,80\n1,80\n", "f:3: there are 2 fields; the header has 3"},
		{"quotes", "k,accuracy\n1,\"80\n", "f:2: extraneous"},
		{"not a list of objects", "[1]", "f: entry 1: is not an object"},
		{"a list in a list", `[{"k": [1], "accuracy": 1}]`, `f: entry 1: "k" is a list or an object`},
		{"a list cut off", `[{"k": 1, "accuracy": 1}`, "f: is no JSON"},
		{"two lists", `[{"k": 1, "accuracy": 1}] []`, "f: there is more after the list"},
		{"another schema", `{"schema": "accelsim.run/1"}`, `f: schema "accelsim.run/1" is not that of a result of accelsim train`},
		{"no JSON", `{"schema": `, "f: is no JSON of a training"},
		{"not tested", strings.Replace(training, `"test_accuracy"`, `"other"`, 1), "f: has no test accuracy after its last epoch"},
		{"percent in a training", strings.Replace(training, "0.77", "77", 1), "f: test accuracy 77 is not a fraction"},
		{"two trainings", training + training, "f: there is more after the result"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Read([]byte(c.text), "f", columns)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v\nwant one line with %s", err, c.want)
			}
		})
	}
	if _, err := Read([]byte("k,loss\n1,0\n"), "f", Columns{Inputs: []string{"k"}}); err == nil || !strings.Contains(err.Error(), `"loss" is unknown`) {
		t.Errorf("losses where none are taken: %v", err)
	}
	if _, err := Read([]byte("k,accuracy\n1,0\n"), "f", Columns{Inputs: []string{"k", "n"}, Required: []string{"n"}}); err == nil || !strings.Contains(err.Error(), `there is no column "n"`) {
		t.Errorf("a column that must be there is not: %v", err)
	}
}

// A fraction becomes the percent that its digits say, not a neighbour.
func TestDecimalsAreShiftedExactly(t *testing.T) {
	for i := range 1001 {
		v, err := decimal(fmt.Sprintf("%d.%03d", i/1000, i%1000), 2)
		var want float64
		if _, scanned := fmt.Sscan(fmt.Sprintf("%d.%d", i/10, i%10), &want); scanned != nil || err != nil || v != want {
			t.Errorf("%d thousandths are %v percent, want %v (%v)", i, v, want, err)
		}
	}
	for _, text := range []string{"", "e", "1e", "e5", "1e1e1", "--1", "1e99999999999999999999", "1e999", "0x1", "1_0", "inf"} {
		if v, err := decimal(text, 2); err == nil {
			t.Errorf("%q is %v", text, v)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("net,k,n,accuracy\nlenet1,20,4,80\n")
	f.Add("\ufeffk,accuracy,loss,source\n2.0,80%,,x\n1,,0..1,\n")
	f.Add(`[{"net": "lenet1", "accuracy": 0.5}]`)
	f.Add(`{"schema": "accelsim.train/1", "epochs": [{"test_accuracy": 0.5}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		rows, err := Read([]byte(text), "f", columns)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "f:") {
				t.Errorf("error without the file's name: %v", err)
			}
			return
		}
		for _, r := range rows {
			if !(r.Percent >= 0 && r.Percent <= 100) || r.Loss != nil && r.Loss.Low > r.Loss.High {
				t.Errorf("%+v", r)
			}
		}
	})
}
