using System.Threading.Channels;

namespace Granary.Abstractions.Clients;

/// <summary>Wakes one loop: any number of <see cref="Set"/> before it looks count as one.</summary>
internal sealed class Wakeup
{
    private readonly Channel<bool> _signal = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    public void Set() => _signal.Writer.TryWrite(true);

    /// <summary>Ends the loop.</summary>
    public void Close() => _signal.Writer.TryComplete();

    /// <summary>Waits for the next <see cref="Set"/>; false once closed.</summary>
    public async ValueTask<bool> WaitAsync()
    {
        if (!await _signal.Reader.WaitToReadAsync())
            return false;
        _signal.Reader.TryRead(out _);
        return true;
    }
}
