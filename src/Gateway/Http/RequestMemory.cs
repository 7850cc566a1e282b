using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;

namespace Granary.Gateway.Http;

/// <summary>
/// The bytes of bodies and of fetched records that all requests together hold. A request takes what it is about to hold, and gives it back at its end; one that
/// finds too little is refused at once, since a caller that waits would hold what it has sent so far. A first one may take more than there is in all. Not
/// counted are streams, as each has its read-ahead and there are so many of them at the most; nor a batch while it is decompressed, which is let go before
/// anybody waits, so that there are about as many of them as processors.
/// </summary>
internal sealed class RequestMemory(RequestDelegate next, IOptions<HttpOptions> options)
{
    private readonly long _limit = options.Value.MaxBytesInFlight;
    private long _taken;

    public async Task InvokeAsync(HttpContext context)
    {
        using var share = new Share(this);
        context.Features.Set(share);
        await next(context);
    }

    /// <summary>What this request holds.</summary>
    public static Share Of(HttpContext context) => context.Features.GetRequiredFeature<Share>();

    /// <summary>For one request, by one thread at a time.</summary>
    internal sealed class Share(RequestMemory memory) : IDisposable
    {
        private long _held;

        /// <summary>Holds as many bytes, in all.</summary>
        public void Hold(long bytes)
        {
            var more = bytes - _held;
            var taken = Interlocked.Add(ref memory._taken, more);
            if (more > 0 && taken > memory._limit && taken > bytes)
            {
                Interlocked.Add(ref memory._taken, -more);
                throw new Problem(StatusCodes.Status503ServiceUnavailable, $"The requests under way hold {taken - more} bytes, and all together may hold {memory._limit} (Granary__Http__MaxBytesInFlight): try again.")
                {
                    Limit = memory._limit,
                };
            }

            _held = bytes;
        }

        public void Dispose() => Hold(0);
    }
}
