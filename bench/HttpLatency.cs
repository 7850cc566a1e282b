using System.Diagnostics;
using System.Text;

namespace Granary.Bench;

/// <summary>An open loop of single-record produces over HTTP, on connections that are kept. Latency counts from the time a request was due until its answer.</summary>
internal static class HttpLatency
{
    private const int Connections = 64;

    public static async Task<(Latencies Latencies, double PerSecond)> RunAsync(string url, string topic, int perSecond, TimeSpan duration)
    {
        using var handler = new SocketsHttpHandler { MaxConnectionsPerServer = Connections };
        using var http = new HttpClient(handler) { BaseAddress = new Uri(url) };
        var total = (int)(perSecond * duration.TotalSeconds);
        var latencies = new Latencies(total);
        var sends = new List<Task>(total);
        var start = Stopwatch.GetTimestamp();
        for (var sent = 0; sent < total; sent++)
        {
            var due = start + (long)((double)sent / perSecond * Stopwatch.Frequency);
            SteadyLatency.WaitUntil(due);
            sends.Add(SendAsync(http, topic, sent, due, latencies));
        }

        await Task.WhenAll(sends).WaitAsync(TimeSpan.FromSeconds(30));
        return (latencies, total / Stopwatch.GetElapsedTime(start).TotalSeconds);
    }

    private static async Task SendAsync(HttpClient http, string topic, int number, long due, Latencies latencies)
    {
        using var content = new StringContent($$"""{"key":"learner-{{number % 1000}}","value":{"lesson":{{number}} } }""", Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync($"/topics/{topic}/records", content);
        answer.EnsureSuccessStatusCode();
        await answer.Content.ReadAsByteArrayAsync();
        latencies.Add(Stopwatch.GetElapsedTime(due));
    }
}
