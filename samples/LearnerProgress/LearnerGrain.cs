using System.Text.Json;
using Granary.Abstractions.Subscriptions;

namespace Granary.LearnerProgress;

/// <summary>
/// One learner: activated by the learner's first event, and given all of them in order. Events may come again, after a crash for example: those below the
/// offset that is kept are passed over, so that each counts once.
/// </summary>
[LogSubscription("learning-events", Group = "learner-progress", By = SubscriptionKey.Key)]
public sealed class LearnerGrain([PersistentState("learner")] IPersistentState<Learner> learner) : Grain, ILogSubscriber
{
    public async Task OnRecordsAsync(LogRecords records)
    {
        var next = learner.State.NextOffsets.GetValueOrDefault(records.Partition);
        var news = records.Records.Where(record => record.Offset >= next).ToList();
        if (news.Count == 0)
            return;
        foreach (var record in news)
        {
            learner.State.Events++;
            if (TypeOf(record) == "lesson.completed")
                learner.State.LessonsCompleted++;
        }

        learner.State.NextOffsets[records.Partition] = news[^1].Offset + 1;
        await learner.WriteStateAsync();
        Console.WriteLine($"{this.GetPrimaryKeyString()}: {learner.State.Events} events, {learner.State.LessonsCompleted} lessons completed, up to partition {records.Partition} @{news[^1].Offset}");
    }

    private static string? TypeOf(LogRecord record)
    {
        using var learned = JsonDocument.Parse(record.Value ?? default);
        return learned.RootElement.GetProperty("type").GetString();
    }
}
