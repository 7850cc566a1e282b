using System.Collections.Concurrent;
using Granary.Abstractions.Clients;

namespace Granary.KafkaClients.Groups;

/// <summary>Reads until it is disposed, which leaves the group.</summary>
internal sealed class InClusterMember : IAsyncDisposable
{
    private readonly LogConsumer _consumer;
    private readonly Task _reading;
    private int _assigned;

    public InClusterMember(IGrainFactory grains, string topic, string group)
    {
        _consumer = new LogConsumer(grains);
        _consumer.Subscribe([topic], group, new SubscriptionOptions
        {
            AutoCommitInterval = TimeSpan.FromMilliseconds(200),
            Assigned = given => Count(given.Count),
            Revoked = taken => Count(-taken.Count),
            Lost = lost => Count(-lost.Count),
        });
        _reading = Task.Run(ReadAsync);
    }

    public int Assigned => Volatile.Read(ref _assigned);

    public ConcurrentQueue<string> Read { get; } = new();

    public async ValueTask DisposeAsync()
    {
        await _consumer.DisposeAsync();
        await _reading;
    }

    private Task Count(int difference)
    {
        Interlocked.Add(ref _assigned, difference);
        return Task.CompletedTask;
    }

    private async Task ReadAsync()
    {
        await foreach (var record in _consumer.ReadAsync())
            Read.Enqueue(record.ValueText!);
    }
}
