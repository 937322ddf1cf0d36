// Loads one tracing server and asks it questions; prints the figures as JSON. `../run.ts` runs it on each server.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"sync"
	"time"
)

type options struct {
	format, ingestURL, api, queryURL              string
	pid, traceCount, warmCount                    int
	connections, samples, lightRate, lightSeconds int
	seed                                          int64
}

type figure struct {
	Name        string  `json:"name"`
	Description string  `json:"description"`
	Unit        string  `json:"unit"`
	Value       float64 `json:"value"`
	// `less` or `more`: which value is the better one; `neither` where servers cannot be compared by it.
	Better string `json:"better"`
	// Answers that were not right, and the first reason.
	Wrong  int    `json:"wrong,omitempty"`
	Reason string `json:"reason,omitempty"`
}

func main() {
	o := parseFlags()
	figures, err := measure(o)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	_ = json.NewEncoder(os.Stdout).Encode(figures)
}

func parseFlags() options {
	var o options
	flag.StringVar(&o.format, "format", "otlp", "otlp, zipkin or xray: the bodies that are sent")
	flag.StringVar(&o.ingestURL, "ingest-url", "", "URL that takes the bodies")
	flag.StringVar(&o.api, "api", "jaeger", "jaeger, zipkin or xray: the API that answers")
	flag.StringVar(&o.queryURL, "query-url", "", "URL before the paths of the API")
	flag.IntVar(&o.pid, "pid", 0, "process of the server; all below it belong to it")
	flag.IntVar(&o.traceCount, "traces", 50_000, "traces to load, ten spans each")
	flag.IntVar(&o.warmCount, "warm-traces", 10_000, "traces to send before the measurement")
	flag.IntVar(&o.connections, "connections", 8, "connections; each waits for its acknowledgement")
	flag.IntVar(&o.samples, "samples", 50, "times that each question is asked")
	flag.IntVar(&o.lightRate, "light-rate", 50, "requests a second of one trace each under light load")
	flag.IntVar(&o.lightSeconds, "light-seconds", 15, "seconds of light load")
	flag.Int64Var(&o.seed, "seed", 1, "seed of the traces")
	flag.Parse()
	return o
}

const (
	hour      = int64(time.Hour)
	mostUntil = 3 * time.Minute
)

func measure(o options) ([]figure, error) {
	format, isKnown := formats[o.format]
	if !isKnown {
		return nil, fmt.Errorf("no format %q", o.format)
	}
	apis := map[string]queryAPI{
		"jaeger": jaegerAPI{newCaller(o.queryURL)},
		"zipkin": zipkinAPI{newCaller(o.queryURL)},
		"xray":   xrayAPI{newCaller(o.queryURL)},
	}
	api, isKnown := apis[o.api]
	if !isKnown {
		return nil, fmt.Errorf("no API %q", o.api)
	}
	// The data ends in the past, so that the light load after it is outside of the questions' window. The warm-up is an
	// hour before the data.
	toNs := time.Now().Truncate(time.Second).UnixNano() - int64(time.Minute)
	data := dataset{o.seed, o.traceCount, toNs - hour, toNs, o.format == "xray"}
	warm := dataset{o.seed + 1, o.warmCount, toNs - 3*hour, toNs - 2*hour, data.hasTimedIDs}
	expected := expectationsOf(data)
	warmBodies, bodies := bodiesOf(warm, format, format.tracesARequest), bodiesOf(data, format, format.tracesARequest)

	to := newSender(o.ingestURL, format.contentType, o.connections)
	if _, err := to.sendAll(warmBodies, o.connections); err != nil {
		return nil, err
	}
	untilIdle(o.pid, mostUntil)
	figures, err := load(o, to, bodies)
	if err != nil {
		return nil, err
	}
	for _, one := range questionsOf(api, data, expected) {
		figures = append(figures, askOften(one, o.samples)...)
	}
	light, err := lightLoad(o, to, format)
	if err != nil {
		return nil, err
	}
	figures = append(figures, light...)
	figures = append(figures, readYourWrites(o, to, format, api))
	all := (o.warmCount + o.traceCount + o.lightRate*o.lightSeconds + ownWrites) * spansPerTrace
	return append(figures, figure{Name: "spans", Description: "spans sent in all", Unit: "spans", Value: float64(all), Better: "neither"}), nil
}

func bodiesOf(d dataset, f format, tracesARequest int) [][]byte {
	var bodies [][]byte
	for first := 0; first < d.traceCount; first += tracesARequest {
		var spans []span
		for index := first; index < min(first+tracesARequest, d.traceCount); index++ {
			spans = append(spans, d.trace(index)...)
		}
		bodies = append(bodies, f.encode(spans))
	}
	return bodies
}

func load(o options, to sender, bodies [][]byte) ([]figure, error) {
	spans := float64(o.traceCount * spansPerTrace)
	before, ownBefore := usageOf(o.pid), ownCPUSeconds()
	peak := watchMemory(o.pid)
	done, err := to.sendAll(bodies, o.connections)
	if err != nil {
		return nil, err
	}
	ownSeconds := ownCPUSeconds() - ownBefore
	loaded := usageOf(o.pid)
	untilIdle(o.pid, mostUntil)
	idle := usageOf(o.pid)
	perSpan := func(cpuSeconds float64) float64 { return cpuSeconds / spans * 1e6 }
	return []figure{
		{Name: "rate", Description: "ingest under full load", Unit: "spans/s", Value: spans / done.seconds, Better: "more"},
		{Name: "cpu", Description: "CPU of ingest until the last acknowledgement", Unit: "us/span",
			Value: perSpan(loaded.cpuSeconds - before.cpuSeconds), Better: "less"},
		{Name: "cpu-idle", Description: "CPU of ingest until the server is idle", Unit: "us/span",
			Value: perSpan(idle.cpuSeconds - before.cpuSeconds), Better: "less"},
		{Name: "generator", Description: "CPU of the load generator", Unit: "us/span", Value: perSpan(ownSeconds), Better: "neither"},
		{Name: "acknowledge-p50", Description: "acknowledge under full load, p50", Unit: "ms",
			Value: percentile(done.latenciesMs, 0.5), Better: "less"},
		{Name: "acknowledge-p99", Description: "acknowledge under full load, p99", Unit: "ms",
			Value: percentile(done.latenciesMs, 0.99), Better: "less"},
		{Name: "refusals", Description: "requests that were refused and repeated", Unit: "requests",
			Value: float64(done.refusals), Better: "neither"},
		{Name: "memory-peak", Description: "most resident memory under full load", Unit: "MB",
			Value: float64(peak()) / 1e6, Better: "less"},
		{Name: "memory-idle", Description: "resident memory when idle afterwards", Unit: "MB",
			Value: float64(idle.rssBytes) / 1e6, Better: "less"},
	}, nil
}

// Samples the resident memory until the returned function is called, which returns the most.
func watchMemory(pid int) func() int64 {
	const every = 200 * time.Millisecond
	var most int64
	stop := make(chan struct{})
	var watch sync.WaitGroup
	watch.Add(1)
	go func() {
		defer watch.Done()
		for {
			most = max(most, usageOf(pid).rssBytes)
			select {
			case <-stop:
				return
			case <-time.After(every):
			}
		}
	}()
	return func() int64 {
		close(stop)
		watch.Wait()
		return most
	}
}

const unmeasured = 3

func askOften(one question, samples int) []figure {
	var took []float64
	wrong, reason := 0, ""
	for sample := -unmeasured; sample < samples; sample++ {
		began := time.Now()
		err := one.ask(sample + unmeasured)
		if sample < 0 {
			continue
		}
		took = append(took, millisecondsSince(began))
		if err != nil {
			wrong++
			if reason == "" {
				reason = err.Error()
			}
		}
	}
	return []figure{
		{Name: one.name + "-p50", Description: one.description + ", p50", Unit: "ms", Value: percentile(took, 0.5),
			Better: "less", Wrong: wrong, Reason: reason},
		{Name: one.name + "-p95", Description: one.description + ", p95", Unit: "ms", Value: percentile(took, 0.95),
			Better: "less", Wrong: wrong},
	}
}

// A trace a request at a constant rate.
func lightLoad(o options, to sender, f format) ([]figure, error) {
	count := o.lightRate * o.lightSeconds
	if count == 0 {
		return nil, nil
	}
	now := time.Now().UnixNano()
	d := dataset{o.seed + 2, count, now, now + int64(o.lightSeconds)*1e9, o.format == "xray"}
	bodies := bodiesOf(d, f, 1)
	untilIdle(o.pid, mostUntil)
	before := usageOf(o.pid)
	began := time.Now()
	done, err := to.sendAtRate(bodies, time.Second/time.Duration(o.lightRate))
	if err != nil {
		return nil, err
	}
	share := (usageOf(o.pid).cpuSeconds - before.cpuSeconds) / time.Since(began).Seconds()
	rate := fmt.Sprintf("%d requests of one trace a second", o.lightRate)
	return []figure{
		{Name: "light-cpu", Description: rate + ", CPU", Unit: "% of a core", Value: 100 * share, Better: "less"},
		{Name: "light-p50", Description: rate + ", acknowledge, p50", Unit: "ms", Value: percentile(done.latenciesMs, 0.5), Better: "less"},
		{Name: "light-p95", Description: rate + ", acknowledge, p95", Unit: "ms", Value: percentile(done.latenciesMs, 0.95), Better: "less"},
	}, nil
}

const ownWrites = 20

// The time from the acknowledgement of a trace until it is found by its id, whole.
func readYourWrites(o options, to sender, f format, api queryAPI) figure {
	const most = 20 * time.Second
	now := time.Now().UnixNano()
	d := dataset{o.seed + 3, ownWrites, now, now + 1e9, o.format == "xray"}
	result := figure{Name: "visible-p50", Description: "acknowledged to found by id, p50", Unit: "ms", Better: "less"}
	var took []float64
	for index := range ownWrites {
		spans := d.trace(index)
		if _, err := to.postUntilAccepted(f.encode(spans)); err != nil {
			result.Wrong++
			result.Reason = err.Error()
			continue
		}
		began := time.Now()
		err := errNotFound
		for err != nil && time.Since(began) < most {
			var found traces
			found, err = api.trace(hexOf(spans))
			if err == nil {
				err = wrongTraces(found, []string{hexOf(spans)})
			} else if !errors.Is(err, errNotFound) {
				break
			}
			time.Sleep(time.Millisecond)
		}
		took = append(took, millisecondsSince(began))
		if err != nil {
			result.Wrong++
			result.Reason = err.Error()
		}
	}
	if len(took) > 0 {
		result.Value = percentile(took, 0.5)
	}
	return result
}
