using Granary.Support.Histories;

namespace Granary.Chaos.Clients;

/// <summary>What all readers of all partitions have in common: they read from their making on until they have reached the ends that they are told, or are disposed of.</summary>
internal abstract class ChaosReader(int number, ChaosTopic topic, HistoryFile history) : IChaosClient
{
    private readonly CancellationTokenSource _stop = new();
    private Task _reading = Task.CompletedTask;

    public string? Failure { get; protected set; }

    protected int Number => number;

    protected ChaosTopic Topic => topic;

    protected ReaderPlaces Places { get; } = new(number, topic.Partitions, history);

    /// <summary>Ends the reading.</summary>
    protected CancellationToken Stopping => _stop.Token;

    public async Task FinishAsync(IReadOnlyList<long> ends)
    {
        Failure ??= await Places.AwaitAsync(ends);
        await _stop.CancelAsync();
        await _reading;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _reading;
        _stop.Dispose();
    }

    /// <summary>This is the reading; to be called once, when all of the reader is made.</summary>
    protected void Begin(Task reading) => _reading = reading;
}
