using System.Threading.Channels;

namespace Granary.Gateway.Http.Live;

/// <summary>One reader's place in the stream: what waits for it, or that it has fallen behind and needs a snapshot.</summary>
internal sealed class LiveSubscriber(LiveFeed feed, int maxQueued) : IDisposable
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
            feed.Restart(this);
        return await _queue.Reader.ReadAsync(cancellation);
    }

    public void Dispose() => feed.Leave(this);
}
