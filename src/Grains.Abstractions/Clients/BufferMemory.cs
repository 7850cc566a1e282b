namespace Granary.Abstractions.Clients;

/// <summary>
/// The bytes of records that a producer may hold. Sends that find no room wait in order, up to MaxBlock, then fail. Room and admission
/// are given under one lock where anybody waits, so that records reach their partitions in the order in which they were sent.
/// </summary>
internal sealed class BufferMemory : IDisposable
{
    private readonly LogProducerOptions _options;
    private readonly ClientClock _clock;
    private readonly Action<PendingSend> _admit;
    private readonly Lock _gate = new();
    private readonly Queue<PendingSend> _waiting = new();
    private readonly ITimer _timer;
    private long _free;

    /// <param name="options">Its limits.</param>
    /// <param name="clock">Its time.</param>
    /// <param name="admit">Takes a send that has its room; must neither block nor release room itself.</param>
    public BufferMemory(LogProducerOptions options, ClientClock clock, Action<PendingSend> admit)
    {
        _options = options;
        _clock = clock;
        _admit = admit;
        _free = options.BufferMemoryBytes;
        _timer = clock.CreateTimer(FailOverdue);
    }

    /// <summary>Admits the send, lets it wait, or fails it.</summary>
    public void Enter(PendingSend send)
    {
        if (send.ReservedBytes > _options.BufferMemoryBytes)
        {
            send.Refuse(new LogException(
                ErrorCode.RecordListTooLarge,
                $"a record of up to {send.ReservedBytes} bytes is larger than BufferMemoryBytes, {_options.BufferMemoryBytes}"));
            return;
        }

        send.BlockedUntil = _clock.Now + _options.MaxBlock;
        lock (_gate)
        {
            if (_waiting.Count > 0 || send.ReservedBytes > _free)
            {
                Wait(send);
                return;
            }

            _free -= send.ReservedBytes;
        }

        _admit(send);
    }

    public void Release(long bytes)
    {
        lock (_gate)
        {
            _free += bytes;
            while (_waiting.TryPeek(out var next) && next.ReservedBytes <= _free)
            {
                _waiting.Dequeue();
                _free -= next.ReservedBytes;
                _admit(next);
            }
        }
    }

    public void Dispose() => _timer.Dispose();

    private void Wait(PendingSend send)
    {
        if (_waiting.Count >= _options.MaxWaitingSends)
        {
            send.Refuse(Full($"{_waiting.Count} sends wait for it already, which is MaxWaitingSends"));
            return;
        }

        _waiting.Enqueue(send);
        if (_waiting.Count == 1)
            _clock.Arm(_timer, send.BlockedUntil);
    }

    private void FailOverdue()
    {
        lock (_gate)
        {
            // All wait equally long, so the oldest is the first to fail.
            while (_waiting.TryPeek(out var next) && next.BlockedUntil <= _clock.Now)
                _waiting.Dequeue().Refuse(Full($"none came free within MaxBlock, {_options.MaxBlock}"));
            if (_waiting.TryPeek(out var oldest))
                _clock.Arm(_timer, oldest.BlockedUntil);
        }
    }

    private LogException Full(string why) => new(
        ErrorCode.RequestTimedOut,
        $"the producer's buffer memory of {_options.BufferMemoryBytes} bytes (BufferMemoryBytes) is full: {why}");
}
