package sweep

import (
	"bytes"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

func jobOf(shards int) Job {
	return Job{
		Shards: shards, Command: []string{"/opt/accelsim", "sweep", "--where", "k < 3 and net != 'x'"}, Out: "my results",
		Folder: "/data/my sweep", Image: "accelsim:1", Claim: "disk", CPUs: 2,
	}
}

func slurmScript(t *testing.T, j Job) string {
	t.Helper()
	var b bytes.Buffer
	if err := j.WriteSlurm(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestSlurmScript(t *testing.T) {
	script := slurmScript(t, jobOf(8))
	for _, line := range []string{
		"#SBATCH --array=0-7", "#SBATCH --chdir='/data/my sweep'", `exec /opt/accelsim sweep --where 'k < 3 and net != '\''x'\'''`,
		"# What is missing afterwards:       accelsim sweep merge 'my results'", "# Shard 4 again:                   sbatch --array=3 sweep.sh",
	} {
		if !strings.Contains(script, line+"\n") {
			t.Errorf("the script lacks %q:\n%s", line, script)
		}
	}
}

// No array has more tasks than Slurm takes by default, every shard is in one
// task, and a task runs those of its number.
func TestSlurmArraysAreNotLargerThanSlurmTakes(t *testing.T) {
	for _, c := range []struct{ shards, tasks, each int }{
		{1, 1, 1}, {1000, 1000, 1}, {1001, 1001, 1}, {1002, 501, 2}, {2002, 1001, 2}, {2003, 668, 3}, {MaxShards, 1000, 100},
	} {
		script := slurmScript(t, jobOf(c.shards))
		if line := fmt.Sprintf("#SBATCH --array=0-%d\n", c.tasks-1); !strings.Contains(script, line) || c.tasks > 1001 {
			t.Errorf("%d shards: the script lacks %q", c.shards, line)
		}
		count := make([]int, c.tasks)
		for i := range c.shards {
			count[Shard{i, c.shards}.Task()]++
		}
		for task, n := range count {
			if n == 0 || n > c.each || n < c.each && task < c.tasks-1 {
				t.Errorf("%d shards: task %d has %d", c.shards, task, n)
			}
		}
	}
}

// What bash makes of a script with several shards a task.
func TestTaskRunsItsShardsAndFailsIfOneDoes(t *testing.T) {
	j := jobOf(2003)
	j.Command = []string{"sh", "-c", "echo shard $SLURM_ARRAY_TASK_ID; test $SLURM_ARRAY_TASK_ID -ne 4"}
	script := slurmScript(t, j)
	for _, c := range []struct {
		task   int
		want   string
		status int
	}{{0, "shard 0 shard 1 shard 2", 0}, {1, "shard 3 shard 4 shard 5", 1}, {667, "shard 2001 shard 2002", 0}} {
		bash := exec.Command("bash", "-c", script)
		bash.Env = append(bash.Environ(), fmt.Sprint("SLURM_ARRAY_TASK_ID=", c.task))
		out, _ := bash.Output()
		if got := strings.Join(strings.Fields(string(out)), " "); got != c.want || bash.ProcessState.ExitCode() != c.status {
			t.Errorf("task %d runs %q and exits with %d; want %q, %d", c.task, got, bash.ProcessState.ExitCode(), c.want, c.status)
		}
	}
}

// A folder's name stays in the line that is about it.
func TestNamesWithEndsOfLinesStayInComments(t *testing.T) {
	j := jobOf(8)
	j.Out = "x\nrm -rf /"
	var kubernetes bytes.Buffer
	if err := j.WriteKubernetes(&kubernetes); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{slurmScript(t, j), kubernetes.String()} {
		if strings.Contains(text, "\nrm") {
			t.Error(text)
		}
	}
}

func TestKubernetesJob(t *testing.T) {
	var b bytes.Buffer
	if err := jobOf(8).WriteKubernetes(&b); err != nil {
		t.Fatal(err)
	}
	if line := "accelsim sweep merge 'my results'\n"; !strings.Contains(b.String(), line) {
		t.Errorf("the manifest lacks %q", line)
	}
	var parsed struct {
		Spec struct {
			CompletionMode       string `yaml:"completionMode"`
			Completions          int    `yaml:"completions"`
			BackoffLimitPerIndex int    `yaml:"backoffLimitPerIndex"`
			PodFailurePolicy     struct {
				Rules []struct {
					Action          string `yaml:"action"`
					OnPodConditions []struct {
						Type   string `yaml:"type"`
						Status string `yaml:"status"`
					} `yaml:"onPodConditions"`
				} `yaml:"rules"`
			} `yaml:"podFailurePolicy"`
			Template struct {
				Spec struct {
					RestartPolicy string `yaml:"restartPolicy"`
					Containers    []struct {
						Command    []string `yaml:"command"`
						WorkingDir string   `yaml:"workingDir"`
					} `yaml:"containers"`
				} `yaml:"spec"`
			} `yaml:"template"`
		} `yaml:"spec"`
	}
	if err := yaml.Unmarshal(b.Bytes(), &parsed); err != nil {
		t.Fatal(err)
	}
	s := parsed.Spec
	if s.CompletionMode != "Indexed" || s.Completions != 8 || s.BackoffLimitPerIndex != 3 {
		t.Errorf("%+v", s)
	}
	// What counts no disruption as a failure needs pods that are never restarted.
	if r := s.PodFailurePolicy.Rules; len(r) != 1 || r[0].Action != "Ignore" || len(r[0].OnPodConditions) != 1 ||
		r[0].OnPodConditions[0].Type != "DisruptionTarget" || r[0].OnPodConditions[0].Status != "True" || s.Template.Spec.RestartPolicy != "Never" {
		t.Errorf("%+v", s)
	}
	if c := s.Template.Spec.Containers; len(c) != 1 || c[0].WorkingDir != "/data/my sweep" || c[0].Command[3] != "k < 3 and net != 'x'" {
		t.Errorf("%+v", c)
	}
}
