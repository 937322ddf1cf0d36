// Loads one tracing server and asks it questions; prints the figures as JSON. `../run.ts` runs it on each server.
package main

import (
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
	steadySpans, steadySeconds                    int
	idleSeconds, restSeconds                      int
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
	// Why the value is not that of a whole measurement.
	Note string `json:"note,omitempty"`
}

func main() {
	o := parseFlags()
	p := newProgress(os.Stderr)
	p.printOnSignal()
	err := measure(o, p)
	p.printJSON(os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
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
	flag.IntVar(&o.steadySpans, "steady-spans", 20_000, "spans a second under steady load")
	flag.IntVar(&o.steadySeconds, "steady-seconds", 10, "seconds of steady load")
	flag.IntVar(&o.idleSeconds, "idle-seconds", 120, "most seconds to wait until the server is idle")
	flag.IntVar(&o.restSeconds, "rest-seconds", 45, "seconds at the end, in which the server deletes what it has merged")
	flag.Int64Var(&o.seed, "seed", 1, "seed of the traces")
	flag.Parse()
	return o
}

const hour = int64(time.Hour)

func measure(o options, p *progress) error {
	format, isKnown := formats[o.format]
	if !isKnown {
		return fmt.Errorf("no format %q", o.format)
	}
	apis := map[string]queryAPI{
		"jaeger": jaegerAPI{newCaller(o.queryURL)},
		"zipkin": zipkinAPI{newCaller(o.queryURL)},
		"xray":   xrayAPI{newCaller(o.queryURL)},
	}
	api, isKnown := apis[o.api]
	if !isKnown {
		return fmt.Errorf("no API %q", o.api)
	}
	p.step("making %d traces", o.warmCount+o.traceCount)
	// The data ends in the past, so that the light load after it is outside of the questions' window. The warm-up is an
	// hour before the data.
	toNs := time.Now().Truncate(time.Second).UnixNano() - int64(time.Minute)
	data := dataset{o.seed, o.traceCount, toNs - hour, toNs, o.format == "xray"}
	warm := dataset{o.seed + 1, o.warmCount, toNs - 3*hour, toNs - 2*hour, data.hasTimedIDs}
	expected := expectationsOf(data)
	warmBodies, bodies := bodiesOf(warm, format, format.tracesARequest), bodiesOf(data, format, format.tracesARequest)

	to := newSender(o.ingestURL, format.contentType, o.connections)
	if o.warmCount > 0 {
		p.step("sending %d traces, which are not measured", o.warmCount)
	}
	if _, err := to.sendAll(warmBodies, o.connections); err != nil {
		return err
	}
	waitUntilIdle(o, p)
	if err := load(o, p, to, bodies); err != nil {
		return err
	}
	for _, one := range questionsOf(api, data, expected) {
		p.step("asking for the %s", one.description)
		p.add(askOften(one, o.samples, time.Now)...)
	}
	if err := lightLoad(o, p, to, format); err != nil {
		return err
	}
	if err := steadyLoad(o, p, format); err != nil {
		return err
	}
	p.step("sending %d traces, each until it is found", ownWrites)
	p.add(readYourWrites(o, to, format, api))
	all := (o.warmCount + o.traceCount + o.lightRate*o.lightSeconds + steadyTraces(o, format) + ownWrites) * spansPerTrace
	p.add(figure{Name: "spans", Description: "spans sent in all", Unit: "spans", Value: float64(all), Better: "neither"})
	p.step("waiting for %d s, in which the server deletes what it has merged", o.restSeconds)
	time.Sleep(time.Duration(o.restSeconds) * time.Second)
	return nil
}

// The note of the figures that need an idle server; empty when it became idle.
func waitUntilIdle(o options, p *progress) string {
	p.step("waiting until the server is idle, %d s at most", o.idleSeconds)
	everySecond := func() { time.Sleep(time.Second) }
	if untilIdle(func() float64 { return usageOf(o.pid).cpuSeconds }, everySecond, o.idleSeconds) {
		return ""
	}
	note := fmt.Sprintf("not idle after %d s", o.idleSeconds)
	p.step("%s", note)
	return note
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

func load(o options, p *progress, to sender, bodies [][]byte) error {
	p.step("sending %d traces", o.traceCount)
	spans := float64(o.traceCount * spansPerTrace)
	before, ownBefore := usageOf(o.pid), ownCPUSeconds()
	peak := watchMemory(o.pid)
	done, err := to.sendAll(bodies, o.connections)
	if err != nil {
		return err
	}
	ownSeconds := ownCPUSeconds() - ownBefore
	loaded := usageOf(o.pid)
	perSpan := func(cpuSeconds float64) float64 { return cpuSeconds / spans * 1e6 }
	p.add(
		figure{Name: "rate", Description: "ingest under full load", Unit: "spans/s", Value: spans / done.seconds, Better: "more"},
		figure{Name: "cpu", Description: "CPU of ingest until the last acknowledgement", Unit: "us/span",
			Value: perSpan(loaded.cpuSeconds - before.cpuSeconds), Better: "less"},
		figure{Name: "generator", Description: "CPU of the load generator", Unit: "us/span", Value: perSpan(ownSeconds), Better: "neither"},
		figure{Name: "acknowledge-p50", Description: "acknowledge under full load, p50", Unit: "ms",
			Value: percentile(done.latenciesMs, 0.5), Better: "less"},
		figure{Name: "acknowledge-p99", Description: "acknowledge under full load, p99", Unit: "ms",
			Value: percentile(done.latenciesMs, 0.99), Better: "less"},
		figure{Name: "refusals", Description: "requests that were refused and repeated", Unit: "requests",
			Value: float64(done.refusals), Better: "neither"},
	)
	note := waitUntilIdle(o, p)
	idle := usageOf(o.pid)
	p.add(
		figure{Name: "cpu-idle", Description: "CPU of ingest until the server is idle", Unit: "us/span",
			Value: perSpan(idle.cpuSeconds - before.cpuSeconds), Better: "less", Note: note},
		figure{Name: "memory-peak", Description: "most resident memory until the server is idle", Unit: "MB",
			Value: float64(peak()) / 1e6, Better: "less", Note: note},
		figure{Name: "memory-idle", Description: "resident memory when idle afterwards", Unit: "MB",
			Value: float64(idle.rssBytes) / 1e6, Better: "less", Note: note},
	)
	return nil
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

const (
	unmeasured = 3
	// A server that answers slowly is asked fewer times.
	mostAsking = time.Minute
)

func askOften(one question, samples int, now func() time.Time) []figure {
	var took []float64
	wrong, reason, note := 0, "", ""
	first := now()
	for sample := -unmeasured; sample < samples; sample++ {
		began := now()
		if began.Sub(first) > mostAsking && len(took) > 0 {
			note = fmt.Sprintf("asked %d times in %.0f s", len(took), began.Sub(first).Seconds())
			break
		}
		err := one.ask(sample + unmeasured)
		if sample < 0 {
			continue
		}
		took = append(took, milliseconds(now().Sub(began)))
		if err != nil {
			wrong++
			if reason == "" {
				reason = err.Error()
			}
		}
	}
	return []figure{
		{Name: one.name + "-p50", Description: one.description + ", p50", Unit: "ms", Value: percentile(took, 0.5),
			Better: "less", Wrong: wrong, Reason: reason, Note: note},
		{Name: one.name + "-p95", Description: one.description + ", p95", Unit: "ms", Value: percentile(took, 0.95),
			Better: "less", Wrong: wrong, Note: note},
	}
}

// A trace a request at a constant rate.
func lightLoad(o options, p *progress, to sender, f format) error {
	count := o.lightRate * o.lightSeconds
	if count == 0 {
		return nil
	}
	now := time.Now().UnixNano()
	d := dataset{o.seed + 2, count, now, now + int64(o.lightSeconds)*1e9, o.format == "xray"}
	bodies := bodiesOf(d, f, 1)
	note := waitUntilIdle(o, p)
	rate := fmt.Sprintf("%d requests of one trace a second", o.lightRate)
	p.step("sending %s for %d s", rate, o.lightSeconds)
	before := usageOf(o.pid)
	began := time.Now()
	done, err := to.sendAtRate(bodies, time.Second/time.Duration(o.lightRate))
	if err != nil {
		return err
	}
	share := (usageOf(o.pid).cpuSeconds - before.cpuSeconds) / time.Since(began).Seconds()
	p.add(
		figure{Name: "light-cpu", Description: rate + ", CPU", Unit: "% of a core", Value: 100 * share, Better: "less", Note: note},
		figure{Name: "light-p50", Description: rate + ", acknowledge, p50", Unit: "ms",
			Value: percentile(done.latenciesMs, 0.5), Better: "less", Note: note},
		figure{Name: "light-p95", Description: rate + ", acknowledge, p95", Unit: "ms",
			Value: percentile(done.latenciesMs, 0.95), Better: "less", Note: note},
	)
	return nil
}

const steadyConnections = 32

// Whole requests.
func steadyTraces(o options, f format) int {
	requests := o.steadySpans * o.steadySeconds / (f.tracesARequest * spansPerTrace)
	return requests * f.tracesARequest
}

// The delay of an acknowledgement when a server is busy and not full: many clients send requests of the same size as
// under full load, on time. Under full load the delay of each server is the number of connections over its rate.
func steadyLoad(o options, p *progress, f format) error {
	count := steadyTraces(o, f)
	if count == 0 {
		return nil
	}
	toNs := time.Now().UnixNano() - 4*hour
	bodies := bodiesOf(dataset{o.seed + 4, count, toNs - hour, toNs, o.format == "xray"}, f, f.tracesARequest)
	note := waitUntilIdle(o, p)
	load := fmt.Sprintf("%d spans a second over %d connections", o.steadySpans, steadyConnections)
	p.step("sending %s for %d s", load, o.steadySeconds)
	to := newSender(o.ingestURL, f.contentType, steadyConnections)
	done, err := to.sendAtRate(bodies, time.Duration(o.steadySeconds)*time.Second/time.Duration(len(bodies)))
	if err != nil {
		return err
	}
	for _, share := range []float64{0.5, 0.99} {
		name := fmt.Sprintf("p%.0f", 100*share)
		p.add(figure{Name: "steady-" + name, Description: load + ", acknowledge, " + name, Unit: "ms",
			Value: percentile(done.latenciesMs, share), Better: "less", Note: note})
	}
	p.add(figure{Name: "steady-refusals", Description: load + ", requests refused and repeated", Unit: "requests",
		Value: float64(done.refusals), Better: "neither"})
	return nil
}

const ownWrites = 20

// The time from the acknowledgement of a trace until it is found by its id, whole.
func readYourWrites(o options, to sender, f format, api queryAPI) figure {
	const most = 20 * time.Second
	now := time.Now().UnixNano()
	d := dataset{o.seed + 3, ownWrites, now, now + 1e9, o.format == "xray"}
	result := figure{Name: "visible-p50", Description: "acknowledged to found by id, p50", Unit: "ms", Better: "less"}
	var took []float64
	first := time.Now()
	for index := range ownWrites {
		if time.Since(first) > mostAsking {
			result.Note = fmt.Sprintf("%d traces in %.0f s", index, time.Since(first).Seconds())
			break
		}
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
			if err != nil {
				time.Sleep(time.Millisecond)
			}
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
