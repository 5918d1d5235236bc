package docs

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/accelsim-dev/accelsim/tensors"
)

// section returns the part of data.md under a heading that begins so.
func section(t *testing.T, heading string) string {
	t.Helper()
	for part := range strings.SplitSeq("\n"+pages(t)["data.md"], "\n## ") {
		if strings.HasPrefix(part, heading) {
			return part
		}
	}
	t.Fatalf("data.md has no section %q", heading)
	return ""
}

// keys are what a section of data.md says of keys: which there are, and which have the
// same ones below them as another.
type keys struct {
	patterns []*regexp.Regexp
	alike    map[string]string
}

var (
	alternatives = regexp.MustCompile(`\\\{([^}]*)\\\}`)
	placeholder  = regexp.MustCompile(`<[a-z-]+>`)
	alikeText    = regexp.MustCompile("^ as `([a-z_.\\[\\]]+)`")
)

// keysOf reads the tables of a section.
func keysOf(text string) keys {
	k := keys{alike: map[string]string{}}
	for line := range strings.Lines(text) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 {
			continue
		}
		for _, m := range inline.FindAllStringSubmatch(cells[1], -1) {
			if other := alikeText.FindStringSubmatch(cells[2]); other != nil {
				k.alike[m[1]] = other[1]
			}
			p := alternatives.ReplaceAllStringFunc(regexp.QuoteMeta(m[1]), func(s string) string {
				return "(" + strings.ReplaceAll(strings.Trim(s, `\{}`), ",", "|") + ")"
			})
			k.patterns = append(k.patterns, regexp.MustCompile("^"+placeholder.ReplaceAllString(p, `([A-Za-z0-9_]+)`)+"$"))
		}
	}
	return k
}

// has tells whether a key is documented, and which names stand for placeholders in it.
func (k keys) has(path string) (names []string, ok bool) {
	for _, p := range k.patterns {
		if m := p.FindStringSubmatch(path); m != nil {
			return m[1:], true
		}
	}
	for prefix, other := range k.alike {
		below, found := strings.CutPrefix(path, prefix+".")
		if !found {
			continue
		}
		if names, ok := k.has(other + "." + below); ok {
			return names, true
		}
	}
	return nil, false
}

// paths adds the paths of all values of a JSON tree; entries of lists are [].
func paths(v any, at string, found map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			paths(value, strings.TrimPrefix(at+"."+key, "."), found)
		}
	case []any:
		for _, value := range v {
			paths(value, at+"[]", found)
		}
	default:
		found[at] = true
	}
}

// TestEveryKeyIsDocumented walks the JSON of runs of all kinds.
func TestEveryKeyIsDocumented(t *testing.T) {
	reader := newClone(t, build(t))
	const vectors = "testdata/vectors/"
	residual := "--net " + vectors + "res-bn.yaml --k 2 --n 3"
	commands := []struct{ section, args string }{
		{"`accelsim run`", "run --net lenet1 --k 4 --n 2 --schedule pipelined --seed 1"},
		{"`accelsim run`", "run --net lenet1 --batch 8 --k 4 --n 2 --hw zcu102 --residency resident --skip-unread"},
		{"`accelsim run`", "run " + residual + " --timing off"},
		{"`accelsim run`", "run " + residual},
		{"`accelsim run`", "run --net " + vectors + "conv-local1.yaml --k 3 --n 1 --tensors " + vectors + "conv-local1.in.npz"},
		{"`accelsim run`", "run --net " + vectors + "direct-k1.yaml --k 1 --n 1 --classifier random"},
		{"`accelsim train`", "train --net " + vectors + "conv-local1.yaml --k 3 --n 1 --seed 1 --tensors " + vectors + "conv-local1.in.npz"},
		{"`accelsim verify`", "verify --net " + vectors + "conv-local1.yaml --k 3 --n 1"},
		{"`accelsim dram`", "dram --device ddr4-2400 --pattern random --requests 100"},
		{"`accelsim hdl`", "hdl --net " + vectors + "fc-bptt.yaml --k 6 --vectors 10 --out hdl"},
		{"`accelsim schedule`", "schedule --net lenet1 --k 4 --n 2"},
		{"`accelsim compare`", "run --net lenet1 --k 4 --n 2 --timing off --out r >/dev/null && accelsim compare r r"},
		{"`accelsim train`", mnist},
	}
	for _, c := range commands {
		t.Run(c.args, func(t *testing.T) {
			if c.args == mnist {
				reader.needMNIST(t)
			}
			out, err := reader.run("accelsim " + c.args + " --format json 2>stderr")
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			checkKeys(t, c.section, []byte(out))
		})
	}
}

// checkKeys holds the keys of a JSON text to a section.
func checkKeys(t *testing.T, name string, text []byte) {
	t.Helper()
	documented := section(t, name)
	if strings.Contains(documented, "of `accelsim run`") {
		documented += section(t, "`accelsim run`")
	}
	k := keysOf(documented)
	known := section(t, "Names") + section(t, "Tensors")
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	paths(tree, "", found)
	if len(found) < 5 {
		t.Fatalf("only %d keys", len(found))
	}
	for path := range found {
		names, ok := k.has(path)
		if !ok {
			t.Errorf("data.md does not say what %s is", path)
		}
		for _, n := range names {
			if !strings.Contains(documented, n) && !strings.Contains(known, "`"+n+"`") && !tensorName(known, n) {
				t.Errorf("data.md does not name %s, of %s", n, path)
			}
		}
	}
}

// tensorName tells whether a name of an NPZ file is one of data.md's, such as `dw<l>_i<i>`.
func tensorName(text, name string) bool {
	for _, m := range inline.FindAllStringSubmatch(text, -1) {
		if m[1] == name {
			return true
		}
		p := placeholder.ReplaceAllString(regexp.QuoteMeta(m[1]), `[0-9]+`)
		if placeholder.MatchString(m[1]) && regexp.MustCompile("^"+p+"$").MatchString(name) {
			return true
		}
	}
	return false
}

// TestEveryTensorIsDocumented: the names of what --tensors reads and --dump writes.
func TestEveryTensorIsDocumented(t *testing.T) {
	reading, writing, ok := strings.Cut(section(t, "Tensors"), "| written by")
	if !ok {
		t.Fatal("data.md has no table of what is written")
	}
	files, err := filepath.Glob("../testdata/vectors/*.npz")
	if err != nil || len(files) < 16 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		set, err := tensors.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text := reading
		if strings.HasSuffix(file, ".out.npz") {
			text = writing
		}
		for _, name := range set.Names() {
			if !tensorName(text, name) {
				t.Errorf("%s: data.md does not say what %s is", file, name)
			}
		}
	}
}

func TestKeysAreMatched(t *testing.T) {
	k := keysOf("| `a.{b,c}[].<tensor>.x` | something | |\n| `d` | as `a.b[]`: more | |\n")
	for path, want := range map[string]bool{"a.b[].w.x": true, "a.c[].w.x": true, "a.d[].w.x": false, "a.b[].w.y": false, "d.w.x": true, "d.w.z": false} {
		if _, ok := k.has(path); ok != want {
			t.Errorf("%s: %v", path, ok)
		}
	}
	if names, _ := k.has("a.b[].weights.x"); !slices.Contains(names, "weights") {
		t.Errorf("names %v", names)
	}
	if !tensorName("`dw<l>_i<i>`", "dw3_i10") || tensorName("`dw<l>_i<i>`", "dw3_j10") {
		t.Error("names of tensors")
	}
}
