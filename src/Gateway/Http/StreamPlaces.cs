using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Granary.Gateway.Http;

/// <summary>How many streams there may be at once, and how many there are (<c>granary.http.streams</c>).</summary>
internal sealed class StreamPlaces : IDisposable
{
    private readonly HttpOptions _options;
    private readonly Meter _meter;
    private int _taken;

    public StreamPlaces(IOptions<HttpOptions> options, IMeterFactory meters)
    {
        _options = options.Value;
        _meter = meters.Create("Granary.Http");
        _meter.CreateObservableGauge("granary.http.streams", () => Volatile.Read(ref _taken), "{streams}", "Tails of topics that are open.");
    }

    /// <summary>A place, given back when it is disposed; a refusal where none is left.</summary>
    public IDisposable Take()
    {
        if (Interlocked.Increment(ref _taken) <= _options.MaxStreams)
            return new Place(this);
        Interlocked.Decrement(ref _taken);
        throw new Problem(StatusCodes.Status503ServiceUnavailable, $"{_options.MaxStreams} streams are open, which is the most (Granary__Http__MaxStreams).") { Limit = _options.MaxStreams };
    }

    public void Dispose() => _meter.Dispose();

    private sealed class Place(StreamPlaces places) : IDisposable
    {
        public void Dispose() => Interlocked.Decrement(ref places._taken);
    }
}
