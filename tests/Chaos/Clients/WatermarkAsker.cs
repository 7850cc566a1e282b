using Confluent.Kafka;
using Granary.Abstractions.Clients;
using Granary.Support.Histories;

namespace Granary.Chaos.Clients;

/// <summary>Asks for the ends of all partitions again and again, over Kafka's protocol and over grain calls, and writes down when it asked.</summary>
internal sealed class WatermarkAsker : IChaosClient
{
    private static readonly TimeSpan s_pace = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(2);

    private readonly int _number;
    private readonly ChaosTopic _topic;
    private readonly HistoryFile _history;
    private readonly IGrainFactory _grains;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _asking;

    /// <param name="number">Of the one that asks over Kafka's protocol; the other has the next.</param>
    public WatermarkAsker(int number, ChaosTopic topic, HistoryFile history, IGrainFactory grains)
    {
        (_number, _topic, _history, _grains) = (number, topic, history, grains);
        _asking = Task.WhenAll(Task.Factory.StartNew(() => AskKafkaAsync().GetAwaiter().GetResult(), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default), Task.Run(AskGrainsAsync));
    }

    public string? Failure { get; private set; }

    public async Task FinishAsync(IReadOnlyList<long> ends)
    {
        await _stop.CancelAsync();
        await _asking;
    }

    public async ValueTask DisposeAsync()
    {
        await FinishAsync([]);
        _stop.Dispose();
    }

    private async Task AskKafkaAsync()
    {
        using var consumer = _topic.Consumer((_, _) => { });
        using var timer = new PeriodicTimer(s_pace);
        for (var turn = 0; await TickAsync(timer); turn++)
        {
            var partition = turn % _topic.Partitions;
            var began = _history.Now;
            try
            {
                var ends = consumer.QueryWatermarkOffsets(new Confluent.Kafka.TopicPartition(_topic.Name, partition), s_timeout);
                _history.Add(new HistoryEvent(HistoryEventKind.Watermark, 0, _number, partition, ends.High.Value, Began: began));
            }
            catch (KafkaException)
            {
                // No answer is an answer, too: the next question follows.
            }
        }
    }

    private async Task AskGrainsAsync()
    {
        await using var consumer = new LogConsumer(_grains, new LogConsumerOptions { RequestTimeout = s_timeout, AskTimeout = s_timeout });
        using var timer = new PeriodicTimer(s_pace);
        for (var turn = 0; await TickAsync(timer); turn++)
        {
            var partition = new Granary.Abstractions.Clients.TopicPartition(_topic.Name, turn % _topic.Partitions);
            var began = _history.Now;
            try
            {
                var ends = await consumer.EndOffsetsAsync([partition]);
                _history.Add(new HistoryEvent(HistoryEventKind.Watermark, 0, _number + 1, partition.Partition, ends[partition], Began: began));
            }
            catch (LogException)
            {
                // As above.
            }
            catch (Exception failure)
            {
                Failure = $"asker {_number + 1} ended with {failure.GetType().Name}: {failure.Message}";
                return;
            }
        }
    }

    private async Task<bool> TickAsync(PeriodicTimer timer)
    {
        try
        {
            return await timer.WaitForNextTickAsync(_stop.Token);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
