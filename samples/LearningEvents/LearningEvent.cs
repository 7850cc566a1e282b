using System.Text.Json;
using System.Text.Json.Serialization;

namespace Granary.LearningEvents;

/// <summary>Something that happened to a learner. The record's key is the learner, so that one learner's events keep their order.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(PurchaseCompleted), "purchase.completed")]
[JsonDerivedType(typeof(LessonCompleted), "lesson.completed")]
[JsonDerivedType(typeof(VideoProgressed), "video.progressed")]
[JsonDerivedType(typeof(PurchaseRefunded), "purchase.refunded")]
internal abstract record LearningEvent(string Learner)
{
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, JsonSerializerOptions.Web);
}

internal sealed record PurchaseCompleted(string Learner, string Course, decimal Price, string Currency) : LearningEvent(Learner);

internal sealed record LessonCompleted(string Learner, string Course, int Lesson) : LearningEvent(Learner);

internal sealed record VideoProgressed(string Learner, string Course, int Lesson, int Seconds) : LearningEvent(Learner);

internal sealed record PurchaseRefunded(string Learner, string Course, string Reason) : LearningEvent(Learner);
