package main

import (
	"bytes"
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"sync/atomic"
	"testing"
	"time"
)

const line = "42 (a ) b (c) S 7 42 42 0 -1 4194560 100 0 0 0 150 50 30 20 20 0 3 0 100 1000 25 18446744073709551615 1 1"

func TestStatOfAProcessWhoseNameHasParentheses(t *testing.T) {
	got, err := parseStat(line)
	want := processStat{parent: 7, cpuSeconds: 2.5, rssBytes: 25 * int64(os.Getpagesize())}
	if err != nil || got != want {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, err := parseStat("42 (cut) S 7"); err == nil {
		t.Fatal("a line that is cut off was read")
	}
}

func TestTreeCountsAllBelowItsRootAndNothingElse(t *testing.T) {
	stats := map[int]processStat{
		1: {0, 100, 100}, 10: {1, 1, 10}, 11: {10, 2, 20}, 12: {11, 4, 40}, 13: {1, 8, 80},
	}
	if got := sumOfTree(10, stats); got != (usage{7, 70}) {
		t.Fatalf("%+v", got)
	}
}

func TestOwnTreeIsRead(t *testing.T) {
	if got := usageOf(os.Getpid()); got.rssBytes < 1e6 {
		t.Fatalf("%+v", got)
	}
}

func TestPercentilesAreTheNearestRank(t *testing.T) {
	values := []float64{4, 1, 3, 2}
	for share, want := range map[float64]float64{0: 1, 0.25: 1, 0.5: 2, 0.51: 3, 1: 4} {
		if got := percentile(values, share); got != want {
			t.Errorf("%v: %v", share, got)
		}
	}
	if !math.IsNaN(percentile(nil, 0.5)) {
		t.Error("a percentile of no values")
	}
}

func someTraces(hasTimedIDs bool) dataset { return dataset{1, 200, 1e18, 1e18 + hour, hasTimedIDs} }

func TestTracesAreTheSameEachTime(t *testing.T) {
	for index := range 200 {
		spans := someTraces(false).trace(index)
		if !reflect.DeepEqual(spans, someTraces(false).trace(index)) {
			t.Fatal("a trace differs from itself")
		}
		services := map[int]bool{}
		for _, s := range spans {
			services[s.service] = true
			if len(s.attributes) != 11 || s.endNs <= s.startNs {
				t.Fatalf("%+v", s)
			}
		}
		if len(spans) != spansPerTrace || len(services) != 3 {
			t.Fatalf("%d spans, %d services", len(spans), len(services))
		}
	}
}

func TestFlagsOfASpanSayWhetherItsParentIsRemote(t *testing.T) {
	for _, s := range someTraces(false).trace(7) {
		// Field 16, four bytes.
		flags := []byte{0x85, 0x01, 1, 1, 0, 0}
		if s.hasRemoteParent {
			flags[3] = 3
		}
		if !bytes.HasSuffix(otlpSpan(s), flags) {
			t.Fatalf("%s ends with %x", s.name, otlpSpan(s)[len(otlpSpan(s))-6:])
		}
	}
}

func TestASegmentForEachServiceOfATrace(t *testing.T) {
	var body struct{ TraceSegmentDocuments []string }
	if err := json.Unmarshal(xrayRequest(someTraces(true).trace(3)), &body); err != nil {
		t.Fatal(err)
	}
	spans := 0
	for _, document := range body.TraceSegmentDocuments {
		var entity xrayEntityFound
		if err := json.Unmarshal([]byte(document), &entity); err != nil {
			t.Fatal(err)
		}
		spans += entity.count()
	}
	if len(body.TraceSegmentDocuments) != 3 || spans != spansPerTrace {
		t.Fatalf("%d documents, %d spans", len(body.TraceSegmentDocuments), spans)
	}
}

func TestExpectedListsAreNewestFirst(t *testing.T) {
	d := someTraces(false)
	expected := expectationsOf(d)
	calls := 0
	for _, count := range expected.edges {
		calls += count
	}
	if calls != 2*d.traceCount {
		t.Fatalf("%d calls", calls)
	}
	newest := d.trace(d.traceCount - 1)
	for _, s := range newest {
		if got := expected.newest[serviceName(s.service)][0]; got != hexOf(newest) {
			t.Fatalf("%s for %s", got, hexOf(newest))
		}
	}
}

func TestAWrongAnswerHasAReason(t *testing.T) {
	if err := wrongTraces(traces{"a": 10, "b": 10}, []string{"a", "b"}); err != nil {
		t.Error(err)
	}
	for name, found := range map[string]traces{
		"missing": {"a": 10}, "in part": {"a": 10, "b": 9}, "too many": {"a": 10, "b": 10, "c": 10},
	} {
		if wrongTraces(found, []string{"a", "b"}) == nil {
			t.Error(name)
		}
	}
	expected := map[edge]int{{"a", "b"}: 2}
	if wrongEdges(map[edge]int{{"a", "b"}: 2, {"b", "db"}: 1}, expected) != nil || wrongEdges(map[edge]int{{"a", "b"}: 1}, expected) == nil {
		t.Error("edges")
	}
}

func TestRefusedBodiesAreSentAgain(t *testing.T) {
	var calls atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if calls.Add(1)%3 == 0 {
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}))
	defer server.Close()
	to := newSender(server.URL, "text/plain", 2)
	bodies := [][]byte{{1}, {2}, {3}, {4}}
	done, err := to.sendAll(bodies, 2)
	if err != nil || done.refusals == 0 || int64(len(bodies))+done.refusals != calls.Load() {
		t.Fatalf("%+v, %v, %d calls", done, err, calls.Load())
	}
	if _, err := to.sendAtRate(bodies, time.Millisecond); err != nil {
		t.Fatal(err)
	}
}

func TestAnInvalidRequestIsNotRepeated(t *testing.T) {
	var calls atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		w.WriteHeader(http.StatusBadRequest)
	}))
	defer server.Close()
	if _, err := newSender(server.URL, "text/plain", 1).sendAll([][]byte{{1}}, 1); err == nil || calls.Load() != 1 {
		t.Fatalf("%v, %d calls", err, calls.Load())
	}
}

func TestAServerIsIdleAfterTwoQuietSeconds(t *testing.T) {
	for name, one := range map[string]struct {
		cpuSeconds []float64
		isIdle     bool
	}{
		"quiet at once":         {[]float64{1, 1.01, 1.02}, true},
		"quiet after some work": {[]float64{1, 2, 3, 3.01, 3.02}, true},
		"quiet between work":    {[]float64{1, 1, 2, 2, 3, 3}, false},
		"never quiet":           {[]float64{1, 2, 3, 4, 5, 6}, false},
	} {
		second := 0
		cpuSeconds := func() float64 { return one.cpuSeconds[second] }
		if untilIdle(cpuSeconds, func() { second++ }, 5) != one.isIdle {
			t.Error(name)
		}
	}
}

func TestAServerThatAnswersSlowlyIsAskedFewerTimes(t *testing.T) {
	now := time.Unix(0, 0)
	slow := question{"slow", "slow answer", func(int) error { now = now.Add(20 * time.Second); return nil }}
	got := askOften(slow, 50, func() time.Time { return now })[0]
	if got.Value != 20_000 || got.Note != "asked 1 times in 80 s" {
		t.Fatalf("%+v", got)
	}
}

func TestStepsAndFiguresArePrintedAsTheyCome(t *testing.T) {
	var out, whole bytes.Buffer
	p := newProgress(&out)
	p.printJSON(&whole)
	p.step("sending %d traces", 5)
	p.add(figure{Name: "rate", Description: "ingest", Unit: "spans/s", Value: 22_741.4})
	p.add(figure{Name: "trace", Description: "trace by id", Unit: "ms", Value: 3.4567, Wrong: 2, Reason: "no spans", Note: "late"})
	p.printJSON(&whole)
	want := "   0:00 sending 5 traces\n" +
		"        ingest: 22741 spans/s\n" +
		"        trace by id: 3.46 ms, 2 answers were not right: no spans (late)\n"
	if out.String() != want {
		t.Errorf("%s", out.String())
	}
	var none, figures []figure
	lines := bytes.SplitAfter(whole.Bytes(), []byte("\n"))
	if json.Unmarshal(lines[0], &none) != nil || json.Unmarshal(lines[1], &figures) != nil || none == nil || len(figures) != 2 {
		t.Errorf("%s", whole.String())
	}
}
