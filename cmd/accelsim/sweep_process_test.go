package main

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// built builds the program once for the tests that need processes.
var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "accelsim-test-")
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "accelsim")
	out, err := exec.Command("go", "build", "-o", name, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return name, nil
})

func program(t *testing.T) string {
	t.Helper()
	name, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func TestMain(m *testing.M) {
	status := m.Run()
	if name, err := built(); err == nil {
		_ = os.RemoveAll(filepath.Dir(name))
	}
	os.Exit(status)
}

// invoke runs a program and returns its stderr; it must exit with that status.
func invoke(t *testing.T, status int, env []string, name string, args ...string) string {
	t.Helper()
	c := exec.Command(name, args...)
	c.Env = append(os.Environ(), env...)
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	if err := c.Run(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatal(err)
	}
	if got := c.ProcessState.ExitCode(); got != status {
		t.Fatalf("%s %s: exit status %d, want %d\n%s%s", filepath.Base(name), strings.Join(args, " "), got, status, &stdout, &stderr)
	}
	return stderr.String()
}

func commandOutput(name string, args ...string) (string, error) {
	out, err := exec.Command(name, args...).Output()
	return string(out), err
}

func sameFiles(t *testing.T, a, b string) {
	t.Helper()
	for _, name := range []string{"results.csv", "results.parquet"} {
		x, errX := os.ReadFile(filepath.Join(a, name))
		y, errY := os.ReadFile(filepath.Join(b, name))
		if err := errors.Join(errX, errY); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(x, y) {
			t.Errorf("%s differs between %s and %s (%d and %d bytes)", name, a, b, len(x), len(y))
		}
	}
}

// A sweep that is killed again and again ends with the same files, and
// repeats no finished point.
func TestSweepSurvivesKill(t *testing.T) {
	accelsim := program(t)
	dir := t.TempDir()
	args := func(out string) []string {
		return []string{
			"sweep", "--net", "lenet1", "--k", "all", "--n", "all", "--batch", "16,32,64",
			"--set", "dram.device=ddr4-2400,hbm2", "--out", filepath.Join(dir, out),
		}
	}
	begun := time.Now()
	invoke(t, 0, nil, accelsim, args("undisturbed")...)
	whole := time.Since(begun)
	random := rand.New(rand.NewPCG(1, 2))
	kills := 0
	for range 4 {
		c := exec.Command(accelsim, args("killed")...)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(random.Int64N(int64(whole / 3))))
		_ = c.Process.Kill()
		_ = c.Wait()
		if !c.ProcessState.Success() {
			kills++
		}
	}
	invoke(t, 0, nil, accelsim, args("killed")...)
	sameFiles(t, filepath.Join(dir, "undisturbed"), filepath.Join(dir, "killed"))
	finished := map[string]int{}
	journals, err := filepath.Glob(filepath.Join(dir, "killed", "points", "*", "shard-*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range journals {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.SplitAfter(string(text), "\n") {
			if _, rest, ok := strings.Cut(line, `"key":"`); ok && strings.HasSuffix(line, "\n") {
				finished[rest[:32]]++
			}
		}
	}
	for key, n := range finished {
		if n != 1 {
			t.Errorf("point %s was finished %d times", key, n)
		}
	}
	if len(finished) != 6*4*3*2 {
		t.Errorf("%d points in the journals, want 144", len(finished))
	}
	t.Logf("killed %d times, %d journals", kills, len(journals))
}

// cluster is a Slurm controller and a node on this machine.
type cluster struct {
	dir, conf string
}

// run runs a Slurm command.
func (c *cluster) run(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command("timeout", append([]string{"20", name}, args...)...)
	cmd.Env = append(os.Environ(), "SLURM_CONF="+c.conf)
	cmd.Dir = c.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", name, err, out)
	}
	return string(out)
}

// idle waits until no job is left.
func (c *cluster) idle(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		if strings.TrimSpace(c.run(t, "squeue", "-h")) == "" {
			return
		}
	}
	t.Fatalf("jobs are left: %s", c.run(t, "squeue"))
}

// startSlurm starts munged, slurmctld and slurmd with a configuration of their
// own. It skips the test where they are not installed.
func startSlurm(t *testing.T) *cluster {
	t.Helper()
	path := os.Getenv("PATH") + ":/usr/sbin:/sbin"
	t.Setenv("PATH", path)
	for _, name := range []string{"munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "sinfo"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("no Slurm on this machine (%v): apt install slurm-wlm munge", err)
		}
	}
	dir, err := os.MkdirTemp("", "slurm-") // short: a socket's path has a limit
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	host, _, _ = strings.Cut(host, ".")
	for _, sub := range []string{"munge", "state", "spool"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o711); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	key := bytes.Repeat([]byte("accelsim"), 8) // of a cluster that nobody else can reach
	if err := os.WriteFile(filepath.Join(dir, "munge", "key"), key, 0o600); err != nil {
		t.Fatal(err)
	}
	port := 20000 + os.Getpid()%10000
	conf := fmt.Sprintf(`ClusterName=accelsim
SlurmctldHost=%[1]s(127.0.0.1)
SlurmUser=%[2]s
SlurmdUser=%[2]s
AuthType=auth/munge
AuthInfo=socket=%[3]s/munge/socket
CredType=cred/munge
SlurmctldPort=%[4]d
SlurmdPort=%[5]d
SlurmctldPidFile=%[3]s/slurmctld.pid
SlurmdPidFile=%[3]s/slurmd.pid
StateSaveLocation=%[3]s/state
SlurmdSpoolDir=%[3]s/spool
SlurmctldLogFile=%[3]s/slurmctld.log
SlurmdLogFile=%[3]s/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
SchedulerParameters=sched_min_interval=10000,batch_sched_delay=0
ReturnToService=2
KillWait=2
NodeName=%[1]s NodeAddr=127.0.0.1 CPUs=8 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=10 State=UP
`, host, me.Username, dir, port, port+1)
	c := &cluster{dir, filepath.Join(dir, "slurm.conf")}
	if err := os.WriteFile(c.conf, []byte(conf), 0o644); err != nil {
		t.Fatal(err)
	}
	m := filepath.Join(dir, "munge")
	daemon(t, c, "munged", "--foreground", "--force", "--key-file="+m+"/key", "--socket="+m+"/socket",
		"--pid-file="+m+"/pid", "--log-file="+m+"/log", "--seed-file="+m+"/seed")
	waitFor(t, "munged's socket", func() bool { _, err := os.Stat(m + "/socket"); return err == nil })
	daemon(t, c, "slurmctld", "-D", "-i")
	daemon(t, c, "slurmd", "-D")
	waitFor(t, "an idle Slurm node", func() bool {
		cmd := exec.Command("timeout", "5", "sinfo", "-h", "-o", "%t")
		cmd.Env = append(os.Environ(), "SLURM_CONF="+c.conf)
		out, err := cmd.Output()
		return err == nil && strings.TrimSpace(string(out)) == "idle"
	})
	return c
}

// daemon starts a process and ends it with the test.
func daemon(t *testing.T, c *cluster, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "SLURM_CONF="+c.conf)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.WaitDelay = 5 * time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		late := time.AfterFunc(10*time.Second, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
		_ = cmd.Wait()
		late.Stop()
		if t.Failed() {
			t.Logf("%s said: %s", name, &out)
		}
	})
}

func waitFor(t *testing.T, what string, ready func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if ready() {
			return
		}
	}
	t.Fatalf("there is no %s after 30 s", what)
}

// A sweep as an array of 8 tasks on a real controller, one of them killed:
// merge says what is missing, that task alone completes it, and the files are
// those of a local sweep.
func TestSlurmArrayEqualsLocalSweep(t *testing.T) {
	slurm := startSlurm(t)
	accelsim := program(t)
	dir := t.TempDir()
	const shards, victim = 8, 3
	args := func(out string) []string {
		return []string{
			"sweep", "--net", "alexnet", "--k", "1,2,5,10,20", "--n", "1,2,4,8", "--set", "pe.clock=100MHz,200MHz,300MHz",
			"--set", "dram.device=ddr4-2400,ddr4-3200", "--out", filepath.Join(dir, out),
		}
	}
	invoke(t, 0, nil, accelsim, args("local")...)

	array := filepath.Join(dir, "array")
	script := filepath.Join(dir, "sweep.sh")
	for attempt := 1; ; attempt++ {
		if err := os.RemoveAll(array); err != nil {
			t.Fatal(err)
		}
		emit := exec.Command(accelsim, append(args("array"), "--workers", "1", "--shards", strconv.Itoa(shards), "--emit", "slurm")...)
		text, err := emit.Output()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(script, text, 0o755); err != nil {
			t.Fatal(err)
		}
		job := strings.TrimSpace(slurm.run(t, "sbatch", "--parsable", "-o", filepath.Join(dir, "task-%a.txt"), script))
		waitFor(t, "task to kill", func() bool {
			journals, err := filepath.Glob(filepath.Join(array, "points", "*", fmt.Sprintf("shard-%d-of-%d-*", victim+1, shards)))
			if err != nil || len(journals) == 0 {
				return false
			}
			text, err := os.ReadFile(journals[0])
			return err == nil && bytes.Count(text, []byte("\n")) > 2 // a header, and points
		})
		slurm.run(t, "scancel", "--signal=KILL", "--full", fmt.Sprintf("%s_%d", job, victim))
		slurm.idle(t)
		c := exec.Command(accelsim, "sweep", "merge", array)
		said, err := c.CombinedOutput()
		if err == nil && attempt < 5 {
			continue // the task was faster than its death
		}
		if c.ProcessState.ExitCode() != 1 || !strings.Contains(string(said), "shard 4/8") || !strings.Contains(string(said), "array task 3") {
			t.Fatalf("merge: status %d, it must be 1 and name shard 4/8: %s", c.ProcessState.ExitCode(), said)
		}
		lines := strings.Split(strings.TrimSpace(string(said)), "\n")
		t.Log(lines[len(lines)-1])
		break
	}
	slurm.run(t, "sbatch", fmt.Sprintf("--array=%d", victim), "-o", filepath.Join(dir, "again-%a.txt"), script)
	slurm.idle(t)
	said := invoke(t, 0, nil, accelsim, "sweep", "merge", array)
	if !strings.Contains(said, "complete") {
		t.Errorf("merge does not say that all is complete: %s", said)
	}
	sameFiles(t, filepath.Join(dir, "local"), array)
}

// What a pod of a Kubernetes Indexed Job does, without a cluster.
func TestShardsByCompletionIndexMerge(t *testing.T) {
	accelsim := program(t)
	dir := t.TempDir()
	args := func(out string) []string {
		return []string{"sweep", "--net", "lenet1", "--k", "all", "--n", "all", "--out", filepath.Join(dir, out)}
	}
	invoke(t, 0, nil, accelsim, args("local")...)
	var folders []string
	for _, i := range []string{"2", "0", "1", "1"} { // in any order, one twice
		folders = append(folders, filepath.Join(dir, "pod"+i))
		invoke(t, 0, []string{"JOB_COMPLETION_INDEX=" + i}, accelsim, append(args("pod"+i), "--shards", "3")...)
	}
	merged := filepath.Join(dir, "merged")
	invoke(t, 0, nil, accelsim, append([]string{"sweep", "merge", "--out", merged}, folders...)...)
	sameFiles(t, filepath.Join(dir, "local"), merged)

	// A corrupt shard is named, the others are merged.
	journals, err := filepath.Glob(filepath.Join(folders[1], "points", "*", "shard-*"))
	if err != nil || len(journals) != 1 {
		t.Fatal(journals, err)
	}
	text, err := os.ReadFile(journals[0])
	if err != nil {
		t.Fatal(err)
	}
	copy(text, "zzz") // the header: nothing of it can be trusted
	if err := os.WriteFile(journals[0], text, 0o644); err != nil {
		t.Fatal(err)
	}
	said := invoke(t, 1, nil, accelsim, append([]string{"sweep", "merge", "--out", merged}, folders...)...)
	if !strings.Contains(said, journals[0]) || !strings.Contains(said, "8 of 24 points are missing") {
		t.Errorf("merge does not name the corrupt shard and what is missing: %s", said)
	}
}
