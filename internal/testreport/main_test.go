package main

import (
	"strings"
	"testing"
)

const passing = `{"Action":"output","Package":"p","Test":"TestA","Output":"=== RUN   TestA\n"}
{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:12: no Slurm on this machine: apt install slurm-wlm\n"}
{"Action":"skip","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestB/1","Output":"    a_test.go:20: too small\n"}
{"Action":"skip","Package":"p","Test":"TestB/1"}
{"Action":"output","Package":"p","Test":"TestB/2","Output":"    a_test.go:20: too small\n"}
{"Action":"skip","Package":"p","Test":"TestB/2"}
{"Action":"pass","Package":"p","Test":"TestC"}
{"Action":"output","Package":"p","Output":"PASS\n"}
{"Action":"output","Package":"p","Output":"ok  \tp\t0.1s\n"}
{"Action":"pass","Package":"p"}
`

func TestReport(t *testing.T) {
	const skips = "Skipped:\n  p TestA: no Slurm on this machine: apt install slurm-wlm\n  p TestB/1 and 1 more: too small\n"
	for name, c := range map[string]struct {
		events, want string
		ok           bool
	}{
		"passes": {passing, "ok  \tp\t0.1s\n" + skips, true},
		"a test fails": {
			`{"Action":"output","Package":"q","Test":"TestD","Output":"    d_test.go:1: 2 is not 3\n"}
{"Action":"fail","Package":"q","Test":"TestD"}
{"Action":"output","Package":"q","Output":"FAIL\tq\t0.1s\n"}
{"Action":"fail","Package":"q"}
`, "    d_test.go:1: 2 is not 3\nFAIL\tq\t0.1s\nNothing was skipped.\n", false,
		},
		"does not build": {
			`{"ImportPath":"r [r.test]","Action":"build-output","Output":"r.go:3: undefined: x\n"}
{"ImportPath":"r [r.test]","Action":"build-fail"}
{"Action":"output","Package":"r","Output":"FAIL\tr [build failed]\n"}
{"Action":"fail","Package":"r"}
`, "r.go:3: undefined: x\nFAIL\tr [build failed]\nNothing was skipped.\n", false,
		},
		"speaks itself": {"go: no such tool\n" + passing, "go: no such tool\nok  \tp\t0.1s\n" + skips, true},
	} {
		var out strings.Builder
		ok, err := report(strings.NewReader(c.events), &out)
		if err != nil || ok != c.ok || out.String() != c.want {
			t.Errorf("%s: %v, %v\n%s\nwant %v\n%s", name, ok, err, out.String(), c.ok, c.want)
		}
	}
	if _, err := report(strings.NewReader(""), &strings.Builder{}); err == nil {
		t.Error("nothing was tested, and nothing says so")
	}
}
