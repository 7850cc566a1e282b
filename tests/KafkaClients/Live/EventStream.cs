using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;

namespace Granary.KafkaClients.Live;

/// <param name="Id">As the server gave it.</param>
internal sealed record StreamEvent(string Id, string Name, JsonElement Data)
{
    public string? Text(string property) => Data.TryGetProperty(property, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}

/// <summary>Reads a stream of server-sent events as a browser does, and keeps them all.</summary>
internal sealed class EventStream : IAsyncDisposable
{
    private readonly HttpClient _http = new() { Timeout = Timeout.InfiniteTimeSpan };
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<StreamEvent> _events = new();
    private Task _reading = Task.CompletedTask;

    public IReadOnlyList<StreamEvent> Events => [.. _events];

    public static async Task<EventStream> OpenAsync(string httpUrl, string? lastEventId = null)
    {
        var stream = await TryOpenAsync(httpUrl, lastEventId);
        Assert.NotNull(stream);
        return stream;
    }

    /// <summary>Null: the server has too many readers.</summary>
    public static async Task<EventStream?> TryOpenAsync(string httpUrl, string? lastEventId = null)
    {
        var stream = new EventStream();
        var request = new HttpRequestMessage(HttpMethod.Get, $"{httpUrl}/cluster/events");
        if (lastEventId is not null)
            request.Headers.Add("Last-Event-ID", lastEventId);
        var response = await stream._http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        if (response.StatusCode == HttpStatusCode.ServiceUnavailable)
        {
            await stream.DisposeAsync();
            return null;
        }

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        stream._reading = stream.ReadAsync(response);
        await Groups.Eventually.IsTrueAsync(() => !stream._events.IsEmpty, () => "no event");
        return stream;
    }

    public bool Has(string name, Func<StreamEvent, bool> matches) => _events.Any(one => one.Name == name && matches(one));

    public bool Tells(string kind, string? silo = null) => Has("timeline", one => one.Text("kind") == kind && (silo is null || one.Text("silo") == silo));

    public Task WaitAsync(string kind, string? silo = null) => Groups.Eventually.IsTrueAsync(() => Tells(kind, silo), () => $"no '{kind}' of {silo}; there was: {Summary()}");

    public string Summary() => string.Join("\n", _events.Where(one => one.Name is not "rates" and not "snapshot").Select(one => $"{one.Name} {one.Data}"));

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _reading;
        _http.Dispose();
        _stop.Dispose();
    }

    private async Task ReadAsync(HttpResponseMessage response)
    {
        try
        {
            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(_stop.Token));
            var fields = new Dictionary<string, string>();
            while (await reader.ReadLineAsync(_stop.Token) is { } line)
            {
                if (line.Length > 0)
                {
                    var colon = line.IndexOf(": ", StringComparison.Ordinal);
                    fields[line[..colon]] = line[(colon + 2)..];
                    continue;
                }

                using var data = JsonDocument.Parse(fields["data"]);
                _events.Enqueue(new StreamEvent(fields["id"], fields["event"], data.RootElement.Clone()));
                fields.Clear();
            }
        }
        catch (Exception over) when (over is OperationCanceledException or IOException)
        {
            // Closed here, or its server has gone.
        }
    }
}
