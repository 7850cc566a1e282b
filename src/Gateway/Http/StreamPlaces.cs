using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Granary.Gateway.Http;

/// <summary>How many streams there may be at once.</summary>
internal sealed class StreamPlaces(IOptions<HttpOptions> options)
{
    private int _taken;

    /// <summary>A place, given back when it is disposed; a refusal where none is left.</summary>
    public IDisposable Take()
    {
        if (Interlocked.Increment(ref _taken) <= options.Value.MaxStreams)
            return new Place(this);
        Interlocked.Decrement(ref _taken);
        throw new Problem(StatusCodes.Status503ServiceUnavailable, $"{options.Value.MaxStreams} streams are open, which is the most (Granary__Http__MaxStreams).") { Limit = options.Value.MaxStreams };
    }

    private sealed class Place(StreamPlaces places) : IDisposable
    {
        public void Dispose() => Interlocked.Decrement(ref places._taken);
    }
}
