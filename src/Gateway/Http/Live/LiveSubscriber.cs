using System.Threading.Channels;

namespace Granary.Gateway.Http.Live;

/// <summary>
/// One reader's place in the stream: what waits for it, or that it has fallen behind and needs a snapshot. A reader that is slow costs its queue and
/// no more, and misses nothing without being told: what would not fit is replaced by all that is so then.
/// </summary>
/// <param name="maxQueued">Events that may wait.</param>
/// <param name="restart">Calls <see cref="Begin"/> with a snapshot of now.</param>
/// <param name="leave">The reader has gone.</param>
internal sealed class LiveSubscriber(int maxQueued, Action<LiveSubscriber> restart, Action<LiveSubscriber> leave) : IDisposable
{
    private readonly Channel<LiveEvent> _queue = Channel.CreateBounded<LiveEvent>(new BoundedChannelOptions(maxQueued) { SingleReader = true });
    private volatile bool _needsSnapshot;

    /// <summary>Called by the feed, under its lock.</summary>
    public void Offer(in LiveEvent one)
    {
        if (!_needsSnapshot && !_queue.Writer.TryWrite(one))
            _needsSnapshot = true;
    }

    /// <summary>What was queued is of no use: a snapshot comes next. Called by the feed, under its lock.</summary>
    public void Begin(in LiveEvent snapshot)
    {
        while (_queue.Reader.TryRead(out _))
        {
            // The snapshot knows it.
        }

        _needsSnapshot = false;
        _queue.Writer.TryWrite(snapshot);
    }

    public async ValueTask<LiveEvent> NextAsync(CancellationToken cancellation)
    {
        if (_needsSnapshot)
            restart(this);
        return await _queue.Reader.ReadAsync(cancellation);
    }

    public void Dispose() => leave(this);
}
